// A client of urja-gym/1 in a page of JavaScript: node gym_client.mjs ENDPOINT
// Four environments, a day of zero actions; prints the sum of all rewards. Written from bridge/PROTOCOL.md alone.
// Needs two packages (beside this file or in a folder above it): npm install zeromq@6 @msgpack/msgpack@3
import { decode, encode } from "@msgpack/msgpack";
import { Dealer } from "zeromq";

const Type = { hello: 1, make: 3, reset: 5, step: 6, close: 17, error: 20 };

class Client {
  constructor(endpoint) {
    this.socket = new Dealer({ receiveTimeout: 60_000, linger: 0 });
    this.socket.connect(endpoint);
    this.session = this.seq = this.schema = 0n; // 64 bits each
    this.lanes = 0;
  }

  async request(type, meta, blob = new Float32Array()) {
    const header = new DataView(new ArrayBuffer(48));
    new Uint8Array(header.buffer).set([0x55, 0x52, 0x4a, 0x47, 1, 0, type, 0]); // URJG, version 1.0, no flags
    header.setBigUint64(8, this.session, true);
    header.setBigUint64(16, this.seq++, true);
    header.setBigUint64(24, this.schema, true);
    header.setUint32(32, this.lanes, true);
    await this.socket.send([header.buffer, meta ? encode(meta) : "", blob.buffer]);
    const [answer, told, data] = await this.socket.receive();
    const info = told.length ? decode(told, { useBigInt64: true }) : {};
    if (answer.length !== 48) throw new Error("not urja-gym/1");
    if (answer[6] === Type.error) throw new Error(`${info.code}: ${info.text}`);
    return [info, data];
  }
}

async function run(endpoint) {
  const client = new Client(endpoint);
  const [welcome] = await client.request(Type.hello, { client: "gym_client.mjs" });
  client.session = BigInt(welcome.session);
  client.lanes = 4;
  const [spec] = await client.request(Type.make, { envs: client.lanes });
  client.schema = BigInt(spec.schema_hash);
  const { observations, actions } = spec.schema;
  const zero = new Float32Array(client.lanes * actions.length);

  await client.request(Type.reset);
  const rewards = Math.ceil((client.lanes * observations.length * 4) / 64) * 64; // the blob's second array
  let sum = 0;
  for (let step = 0; step < 96; ++step) {
    const [, blob] = await client.request(Type.step, null, zero);
    for (let lane = 0; lane < client.lanes; ++lane) sum += blob.readDoubleLE(rewards + 8 * lane);
  }
  await client.request(Type.close);
  client.socket.close();
  console.log(sum.toPrecision(17));
}

if (process.argv.length !== 3) {
  console.error("usage: node gym_client.mjs ENDPOINT, as `urja gym` prints it");
  process.exit(2);
}
await run(process.argv[2]);
