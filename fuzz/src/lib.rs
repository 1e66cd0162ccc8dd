//! What several targets share.

/// The file with the checksum of each chunk as it should be: mutations of a real one get past them.
pub fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut start = 12; // after the signature and the version
    while let Some(length) = bytes.get(start + 4..start + 8) {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        let end = start + 8 + length as usize;
        if end + 4 > bytes.len() {
            break;
        }
        let checksum = crc32fast::hash(&bytes[start..end]);
        bytes[end..end + 4].copy_from_slice(&checksum.to_le_bytes());
        start = end + 4;
    }
    bytes
}
