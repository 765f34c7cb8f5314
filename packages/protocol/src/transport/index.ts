/** Code that both ends of a transport share and that needs WebCrypto, streams and text decoders of the platform. */
export { type BodyText, readBodyText } from "./body-text.ts";
export { type LineToExecution, type LineToOrchestrator, readLines } from "./lines.ts";
export { randomHex } from "./random-hex.ts";
export {
  AUDIENCE_HEADER,
  SIGNATURE_AGE_MS_MAX,
  SIGNATURE_HEADER,
  SeenNonces,
  type SignedRequest,
  type Verdict,
  audienceProblem,
  checkSigningKey,
  signRequest,
  verifyRequest,
} from "./signing.ts";
