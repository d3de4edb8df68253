// The API reference: Swagger UI on the merged document, with a demo person's token on request.

const reference = document.getElementById("reference");
const chooser = document.getElementById("person");
const status = document.getElementById("signed-in");
let accessToken = null;

function show() {
  reference.replaceChildren();
  window.SwaggerUIBundle({
    domNode: reference,
    url: "/v1/openapi.json",
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    // No validator badge: it would send the document's address to somebody else's server.
    validatorUrl: null,
    requestInterceptor(request) {
      if (accessToken && !request.headers.Authorization) request.headers.Authorization = `Bearer ${accessToken}`;
      return request;
    },
  });
}

async function signIn(person) {
  accessToken = null;
  status.textContent = "";
  if (!person) return;
  const response = await fetch("/v1/auth/token", {
    method: "POST",
    body: new URLSearchParams({ grant_type: "facebook_access_token", facebook_access_token: person.facebook_access_token }),
  });
  const body = await response.json();
  accessToken = body.access_token ?? null;
  status.textContent = accessToken ? `Every request carries their token; it is good for ${Math.round(body.expires_in / 60)} minutes.` : body.detail ?? body.title;
}

async function offerPeople() {
  const response = await fetch("/demo.json", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return;
  const { people } = await response.json();
  for (const person of people) chooser.append(new Option(person.display_name, person.username));
  chooser.addEventListener("change", () => signIn(people.find((person) => person.username === chooser.value)));
  document.getElementById("sign-in").hidden = false;
}

// This script waits for the document, as the bundle's does, and modules run after it in order.
show();
offerPeople();
