/**
 * Addresses of durable objects: the receivers of messages.
 *
 * Owns: the kinds, and the form in which rows store an address. The address of a run is stored as its id alone, because
 * rows that only knew runs did so (VER1). Addresses of other kinds are stored as objects.
 */
export type AddressKind = "run" | "gate" | "schedule" | "topic" | "job";

export interface Address {
  readonly kind: AddressKind;
  readonly name: string;
}

/** An address in a row. A string is the id of a run. */
export type StoredAddress = string | Address;

export function readAddress(stored: StoredAddress): Address {
  return typeof stored === "string" ? { kind: "run", name: stored } : stored;
}

export function toStoredAddress(address: Address): StoredAddress {
  return address.kind === "run" ? address.name : address;
}

/** Returns a string that is unique for each address. */
export function addressKey({ kind, name }: Address): string {
  return `${kind}/${name}`;
}
