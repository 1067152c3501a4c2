/** Makes a request to a server with a certificate that signed itself, and prints what it failed of. */
import { failureOf, fetchWhole } from "./http-guest.ts";
import { TestCall } from "./support.ts";

const port = Number(process.argv[2]);
const call = new TestCall(["https://good.test"], {
  names: { "good.test": ["93.184.215.14"] },
  routes: { "93.184.215.14:443": port },
});
console.log(JSON.stringify(await failureOf(fetchWhole(call, "https://good.test/"))));
