"""Asks the network a question from Python, with the standard library alone.

python3 ask.py "What is 15 × 23?" [127.0.0.1:4222]

The NATS protocol is lines of text over TCP, which is enough for one request. A larger program should use nats-py.
"""

import json
import socket
import sys
import uuid


def request(address, subject, body, timeout=65.0):
    """Sends a JSON request, and gives the JSON answer."""
    host, port = address.rsplit(":", 1)
    inbox = f"_INBOX.{uuid.uuid4().hex}"
    payload = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        stream = connection.makefile("rwb")
        stream.readline()  # INFO: what the server can do
        options = {"verbose": False, "headers": True, "no_responders": True}
        stream.write(f"CONNECT {json.dumps(options)}\r\n".encode())
        stream.write(f"SUB {inbox} 1\r\nPUB {subject} {inbox} {len(payload)}\r\n".encode())
        stream.write(payload + b"\r\n")
        stream.flush()
        while line := stream.readline():
            words = line.split()
            if words[0] == b"PING":
                stream.write(b"PONG\r\n")
                stream.flush()
            elif words[0] == b"-ERR":
                raise RuntimeError(line.decode().strip())
            elif words[0] in (b"MSG", b"HMSG"):
                # HMSG names the bytes of its headers before those of the whole.
                headers = int(words[-2]) if words[0] == b"HMSG" else 0
                data = stream.read(int(words[-1]))
                if b" 503" in data[:headers].split(b"\r\n")[0]:
                    raise RuntimeError(f"nobody answers at {subject}")
                return json.loads(data[headers:])
    raise RuntimeError("the server closed the connection")


def main():
    question = sys.argv[1] if len(sys.argv) > 1 else "What is 15 × 23?"
    address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:4222"
    answer = request(address, "dellm.ask", {"question": question, "queryId": str(uuid.uuid4())})
    if "error" in answer:
        sys.exit(f"{answer['error']['code']}: {answer['error']['message']}")
    print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
