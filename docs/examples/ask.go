// Asks the network a question from Go, with the official client. The project's tests do not run it.
//
//	go get github.com/nats-io/nats.go
//	go run ask.go "What is 15 × 23?"
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

type question struct {
	Question string `json:"question"`
	QueryID  string `json:"queryId,omitempty"`
}

type answer struct {
	QueryID    string  `json:"queryId"`
	Outcome    string  `json:"outcome"`
	Answer     *string `json:"answer"`
	Confidence float64 `json:"confidence"`
	Credits    float64 `json:"credits"`
	Error      *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"error"`
}

func main() {
	text := "What is 15 × 23?"
	if len(os.Args) > 1 {
		text = os.Args[1]
	}
	nc, err := nats.Connect(nats.DefaultURL)
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	body, err := json.Marshal(question{Question: text, QueryID: nats.NewInbox()[len("_INBOX."):]})
	if err != nil {
		log.Fatal(err)
	}
	reply, err := nc.Request("dellm.ask", body, 65*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	var got answer
	if err := json.Unmarshal(reply.Data, &got); err != nil {
		log.Fatal(err)
	}
	if got.Error != nil {
		log.Fatalf("%s: %s", got.Error.Code, got.Error.Message)
	}
	if got.Answer != nil {
		fmt.Println(*got.Answer)
	}
}
