// A real OpenID provider for the tests (npm package oidc-provider): signs in whomever the test names, without asking.
// Arguments: port, redirect URI, accounts as JSON {"subject": {"email": …, "email_verified": …}}. Says "ready" when it listens.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, redirectUri, accounts] = [Number(process.argv[2]), process.argv[3], JSON.parse(process.argv[4])];
let who = Object.keys(accounts)[0];
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'desk',
    client_secret: 'a-secret-of-the-desk',
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [redirectUri.replace('/callback', '')],
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  jwks: { keys: [{ ...key, kid: 'first', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['only for tests'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  scopes: ['openid', 'email', 'profile'],
  conformIdTokenClaims: process.argv[5] === 'userinfo',
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  findAccount: (_context, subject) => accounts[subject] && { accountId: subject, claims: () => ({ sub: subject, ...accounts[subject] }) },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (who === 'nobody') return provider.interactionFinished(request, response, { error: 'access_denied', error_description: '<script>' });
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: who } });
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope('openid email profile');
  grant.addOIDCClaims(['email', 'email_verified']);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

const callback = provider.callback();
createServer((request, response) => {
  if (request.url.startsWith('/become/')) {
    who = decodeURIComponent(request.url.slice('/become/'.length));
    response.end();
  } else if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((fault) => { response.statusCode = 500; response.end(String(fault)); });
  } else {
    callback(request, response);
  }
}).listen(port, '127.0.0.1', () => console.log('ready'));
