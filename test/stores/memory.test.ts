import { describe } from '#test'
import { memoryRegistry } from '../../src/stores/memory.ts'
import { registryContract } from './registry_contract.ts'

describe('memoryRegistry', () => registryContract(memoryRegistry))
