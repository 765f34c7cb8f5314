/**
 * Addresses of durable objects: to whom a message goes.
 *
 * Owns: the kinds, and the form in which rows store an address. A run is stored as its id alone, as rows have always had
 * it (VER1); other kinds are stored as they are.
 */
export type AddressKind = "run" | "gate" | "schedule" | "topic" | "job";

export interface Address {
  readonly kind: AddressKind;
  readonly name: string;
}

/** An address in a row. Text is the id of a run. */
export type StoredAddress = string | Address;

export function readAddress(stored: StoredAddress): Address {
  return typeof stored === "string" ? { kind: "run", name: stored } : stored;
}

export function toStoredAddress(address: Address): StoredAddress {
  return address.kind === "run" ? address.name : address;
}

/** One text for each address. */
export function addressKey({ kind, name }: Address): string {
  return `${kind}/${name}`;
}
