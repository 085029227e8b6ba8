// Checksums of 32 bits as zip archives (CRC-32) and TensorBoard's files (CRC-32C) have them.

/** The polynomials, their bits reversed. */
export const CRC32 = 0xedb88320;
export const CRC32C = 0x82f63b78;

const tables = new Map<number, Uint32Array>();

function tableOf(polynomial: number): Uint32Array {
  let table = tables.get(polynomial);
  if (!table) {
    table = Uint32Array.from({ length: 256 }, (_, byte) => {
      let crc = byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
      return crc >>> 0;
    });
    tables.set(polynomial, table);
  }
  return table;
}

export function crc32(bytes: Uint8Array, polynomial: number): number {
  const table = tableOf(polynomial);
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
