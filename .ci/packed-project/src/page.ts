/** The caller in a page. */
import { drive } from "./drive.js";

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
try {
  document.title = `done: ${await drive(location.origin, token)}`;
} catch (error) {
  document.title = `failed: ${String(error)}`;
}
