// An identity provider for tests: oidc-provider with people who are told to it, and faults on order.
//
// node server.mjs REDIRECT_URI POST_LOGOUT_URI prints {"issuer": …} once it listens. POST /control
// with JSON sets any of:
//   people   {subject: {groups: [...], preferred_username: "…"}}; whoever is missing is disabled
//   forge    claims to put into the next ID tokens, signed by the provider's own key
//   alg      "none" or "HS256": how the next ID tokens are signed in its place
//   revoked  true: the key that signs is no longer among the published ones
//   rotate   true: another key signs from now on
import http from 'node:http';
import { once } from 'node:events';
import * as jose from 'jose';
import Provider, { interactionPolicy } from 'oidc-provider';

const [redirectUri, postLogoutUri] = process.argv.slice(2);
const SECRET = 'a client secret for tests: 100% +/~ odd';
const state = { people: {}, forge: null, alg: null, revoked: false };
let keys = [await newKey()];

async function newKey() {
  const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const key = await jose.exportJWK(privateKey);
  return { ...key, alg: 'RS256', use: 'sig', kid: await jose.calculateJwkThumbprint(key) };
}

const policy = interactionPolicy.base();
policy.remove('consent'); // this client is the organisation's own

const configuration = () => ({
  clients: [{
    client_id: 'guest:portal',
    client_secret: SECRET,
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [postLogoutUri],
    grant_types: ['authorization_code', 'refresh_token'],
  }],
  jwks: { keys },
  findAccount: (ctx, sub) => {
    const person = state.people[sub];
    return person && { accountId: sub, claims: () => ({ sub, ...person }) };
  },
  claims: { openid: ['sub', 'groups'], profile: ['preferred_username'], acr: null, auth_time: null },
  acrValues: ['mfa', 'password'],
  cookies: { keys: ['cookies of tests'] },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      // Without a question: one may sign out by following one's own application's link.
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html><title>Leaving</title>${form}
          <button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`;
      },
    },
  },
  interactions: { policy, url: (ctx, interaction) => `/login/${interaction.uid}` },
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  loadExistingGrant: async (ctx) => {
    const { oidc } = ctx;
    const grant = new oidc.provider.Grant({
      accountId: oidc.session.accountId, clientId: oidc.client.clientId,
    });
    grant.addOIDCScope('openid profile offline_access');
    await grant.save();
    return grant;
  },
  pkce: { methods: ['S256'], required: () => true },
  renderError: (ctx, out) => {
    ctx.type = 'html';
    ctx.body = `<!doctype html><title>Error</title><h1>${out.error}</h1>`;
  },
  ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 3600 },
});

async function forged(idToken) {
  const { kid, alg } = jose.decodeProtectedHeader(idToken);
  const claims = { ...jose.decodeJwt(idToken), ...state.forge };
  if (state.alg === 'none') {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  }
  if (state.alg === 'HS256') {
    return new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid })
      .sign(new TextEncoder().encode(SECRET.padEnd(64)));
  }
  return new jose.SignJWT(claims).setProtectedHeader({ alg, kid })
    .sign(await jose.importJWK(keys[0], alg));
}

function build(issuer) {
  const provider = new Provider(issuer, configuration());
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === '/token' && ctx.body?.id_token && (state.forge || state.alg)) {
      ctx.body = { ...ctx.body, id_token: await forged(ctx.body.id_token) };
    }
    if (ctx.path === '/jwks' && state.revoked) {
      const other = await newKey();
      ctx.body = { keys: [{ kty: other.kty, n: other.n, e: other.e, use: 'sig', kid: other.kid }] };
    }
  });
  return provider;
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const PAGE = `<!doctype html><html lang="en"><title>Sign in at the organisation</title>
<form method="post"><label>Name <input name="login" autofocus></label><button>Sign in</button></form>`;

async function login(provider, request, response) {
  if (request.method === 'GET') {
    response.setHeader('Content-Type', 'text/html');
    response.end(PAGE);
    return;
  }
  const accountId = new URLSearchParams(await body(request)).get('login');
  const result = state.people[accountId]
    ? { login: { accountId, acr: state.people[accountId].acr ?? 'password' } }
    : { error: 'access_denied', error_description: 'nobody of that name' };
  await provider.interactionFinished(request, response, result);
}

const server = http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://localhost:${server.address().port}`;
let provider = build(issuer);
let handle = provider.callback();

server.on('request', async (request, response) => {
  try {
    if (request.url === '/control') {
      const wanted = JSON.parse(await body(request));
      if (wanted.rotate) {
        keys = [await newKey()];
        provider = build(issuer);
        handle = provider.callback();
      }
      Object.assign(state, wanted);
      response.end('{}');
    } else if (request.url.startsWith('/login/')) {
      await login(provider, request, response);
    } else {
      handle(request, response);
    }
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end();
  }
});
console.log(JSON.stringify({ issuer, client_id: 'guest:portal', client_secret: SECRET }));
