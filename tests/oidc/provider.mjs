// An OpenID provider for tests: whoever logs in as NAME is NAME, and as NAME~2 somebody else of the same name.
//
//   node provider.mjs PORT REDIRECT_URI...
//
// Prints the port once it listens. Its keys are new at every start.
import { generateKeyPair, exportJWK } from "jose";
import Provider from "oidc-provider";

const [port, ...redirect_uris] = process.argv.slice(2);
const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const key = { ...(await exportJWK(privateKey)), use: "sig", alg: "RS256", kid: `key-${Date.now()}` };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "shardcast", client_secret: "client secret", redirect_uris, grant_types: ["authorization_code"], application_type: "native" }],
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email"] },
  pkce: { required: () => true },
  jwks: { keys: [key] },
  cookies: { keys: ["for tests"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(id === "nameless" ? {} : { preferred_username: id.split("~")[0] }) }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log(port));
