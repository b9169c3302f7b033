// Asks the network a question from JavaScript, and shows each step as it happens.
//   npm install nats    (2.x or 3.x: nothing here needs more)
//   node ask.mjs "What is 15 × 23?" [nats://127.0.0.1:4222]
import { connect } from 'nats';

const [question = 'What is 15 × 23?', servers = 'nats://127.0.0.1:4222'] = process.argv.slice(2);
const nc = await connect({ servers });

// One request, one answer. The queryId makes it safe to ask again after a timeout: it is charged once.
const queryId = crypto.randomUUID();
const request = JSON.stringify({ question, queryId });
const reply = await nc.request('dellm.ask', request, { timeout: 65_000 });
const answer = JSON.parse(new TextDecoder().decode(reply.data));
if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}`);
console.log(JSON.stringify(answer));

// The same as a stream: steps, then the ending, then an empty message.
const messages = await nc.requestMany('dellm.ask.stream', JSON.stringify({ question }), {
  strategy: 'sentinel',
  maxWait: 65_000,
});
for await (const { data } of messages) {
  if (data.length === 0) break;
  const item = JSON.parse(new TextDecoder().decode(data));
  if (item.error) throw new Error(`${item.error.code}: ${item.error.message}`);
  console.log(item.step ? `step ${item.step.type}` : `ending ${item.ending.outcome}`);
}
await nc.close();
