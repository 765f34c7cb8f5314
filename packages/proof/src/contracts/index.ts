/** The suites that every implementation of a port must pass. They register tests with Vitest. */
export { type AlarmInHandler, type AlarmUnderTest, alarmContract } from "./alarm-contract.ts";
export { type HostContractOptions, hostContract } from "./host-contract.ts";
export { type StoreUnderTest, storeContract } from "./store-contract.ts";
