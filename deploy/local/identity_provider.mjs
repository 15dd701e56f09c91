// A real OpenID Connect provider for this machine alone: made-up people, no passwords, nothing kept.
// Usage: node identity_provider.mjs NODE_MODULES, with IDENTITY_PROVIDER_… variables (identity_provider.py).
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const HOST = "127.0.0.1"; // never another: whoever reaches it may be anybody
const modules = path.resolve(process.argv[2]);
const { Provider } = await import(pathToFileURL(path.join(modules, "oidc-provider/lib/index.js")));
const said = (name) => process.env[`IDENTITY_PROVIDER_${name}`];
const [port, portal, audience] = [Number(said("PORT")), said("PORTAL"), said("AUDIENCE")];
const people = JSON.parse(said("PEOPLE")); // id: { name, departments, roles }
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

const page = (title, body) => `<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><h1>${title}</h1>${body}</html>`;
const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const provider = new Provider(`http://${HOST}:${port}`, {
  clients: [{
    client_id: said("CLIENT"),
    client_secret: readFileSync(said("SECRET_FILE"), "utf8").trim(),
    redirect_uris: [`${portal}/dang-nhap/xong`],
    post_logout_redirect_uris: [`${portal}/dang-xuat`],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomBytes(8).toString("hex") }] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  claims: { openid: ["sub"], profile: ["name"] },
  conformIdTokenClaims: false, // the name is in the ID token, as most providers have it
  pkce: { required: () => true },
  responseTypes: ["code"],
  ttl: { AccessToken: 900, AuthorizationCode: 60, IdToken: 900, Interaction: 600, Session: 3600, Grant: 3600 },
  findAccount: (_, id) => id in people && { accountId: id, claims: () => ({ sub: id, name: people[id].name }) },
  extraTokenClaims: (_, { accountId }) => ({ hailong_departments: people[accountId].departments, hailong_roles: people[accountId].roles }),
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile");
    grant.addResourceScope(audience, "figures");
    await grant.save();
    return grant;
  },
  renderError: (ctx, { error }) => { ctx.type = "html"; ctx.body = page("Lỗi / Error", `<p>${escaped(error)}</p>`); },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== audience) throw new Error("unknown resource");
        return { scope: "figures", audience, accessTokenFormat: "jwt", accessTokenTTL: 900, jwt: { sign: { alg: "RS256" } } };
      },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = page("Đăng xuất / Sign out", `${form}<button type="submit" form="op.logoutForm" value="yes" name="logout">Đăng xuất / Sign out</button>`); },
      postLogoutSuccessSource: (ctx) => { ctx.body = page("Đã đăng xuất / Signed out", ""); },
    },
  },
});

// Whom to be: one button a person.
async function interaction(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method === "POST") {
    let body = "";
    for await (const part of request) body += part;
    const accountId = new URLSearchParams(body).get("person");
    if (accountId in people) {
      await provider.interactionFinished(request, response, { login: { accountId } });
    } else {
      await provider.interactionFinished(request, response, { error: "access_denied" });
    }
    return;
  }
  const buttons = Object.entries(people).map(([id, { name, departments }]) =>
    `<p><button name="person" value="${escaped(id)}">${escaped(name)}</button> ${escaped(departments.join(", "))}</p>`).join("");
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(page("Đăng nhập thử trên máy này / Local sign-in",
    `<p>Những người này không có thật. / These people are made up.</p><form method="post" action="/interaction/${uid}">${buttons}<p><button name="person" value="">Không / None</button></p></form>`));
}

const rest = provider.callback();
createServer((request, response) => {
  if (request.url === "/favicon.ico") return void response.writeHead(204).end();
  if (!request.url.startsWith("/interaction/")) return void rest(request, response);
  interaction(request, response).catch(() => { response.statusCode = 400; response.end(); });
}).listen(port, HOST);
