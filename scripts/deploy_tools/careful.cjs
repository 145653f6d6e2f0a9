"use strict";

// A plugin of our own that stands before Scaleway's, and has it deploy with the care that its version 0.5.0 lacks.

const https = require("https");

// Scaleway's plugin tells its client to accept every certificate: whoever sits on the way would be sent the account's key
// and the function's secrets. Its agents are made from this class, which lets no option switch the check off.
const { Agent } = https;
https.Agent = class extends Agent {
  constructor(options) {
    super({ ...options, rejectUnauthorized: true });
  }
};

// It waits for no trigger either. One that is refused would end as an exception that nobody catches, which Node prints with
// all that hangs on it: the request, and the account's key in it.
process.on("unhandledRejection", (reason) => {
  console.error(`Error: ${reason?.message ?? reason}`);
  process.exitCode = 1;
});

// A variable that is optional and not set reaches this point as "". It means the same to the function as one that is not
// there, and whether the API takes it is not documented; so it is left out, and removed where it was set before.
const withoutEmpty = (values = {}) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => String(value).trim() !== ""));

module.exports = class CarefulDeployment {
  constructor(serverless) {
    this.hooks = {
      "before:deploy:deploy": () => {
        for (const declared of Object.values(serverless.service.functions)) {
          declared.env = withoutEmpty(declared.env);
          declared.secret = withoutEmpty(declared.secret);
        }
      },
    };
  }
};
