// A service in CommonJS, as many are: it serves workflows over HTTP.
const { createStepHandler } = require("@holdfast/workflows/handler");
const { workflow } = require("@holdfast/workflows");

const hello = workflow({ id: "hello", run: () => "hello" });
const handler = createStepHandler({ workflows: [hello], signingKeys: "unsigned" });
handler(new Request("http://127.0.0.1/holdfast/workflows")).then(async (response) => {
  console.log(response.status, await response.text());
});
