#!/usr/bin/env node
/**
 * The command `holdfast`.
 *
 * Owns: the list of verbs. Each verb is a file in a folder of its own kind.
 */
import { Command } from "commander";

await new Command("holdfast").description("Durable workflows for TypeScript.").parseAsync();
