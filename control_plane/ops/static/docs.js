// The descriptions that the service gives of itself, shown by Swagger UI.

const ofApps = new URLSearchParams(location.search).get("of") === "apps";

globalThis.SwaggerUIBundle?.({
  url: ofApps ? "/v1/apps.json" : "/v1/openapi.json",
  dom_id: "#docs",
  supportedSubmitMethods: [], // it is read here, and tried elsewhere
  docExpansion: "list",
});
