/** The caller on a server: Node, Bun and Deno. */
import process from "node:process";
import { drive } from "./drive.js";

console.log(await drive(process.env["HOLDFAST_URL"] ?? "", process.env["HOLDFAST_TOKEN"] ?? ""));
