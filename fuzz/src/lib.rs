//! The bodies of all targets; `tests/corpus.rs` runs them on the inputs in `seeds` as well.

mod abi;
mod checkpoint;
mod command_line;
mod files;
mod pixels;

pub use abi::calls as abi;
pub use checkpoint::checkpoint;
pub use command_line::{arguments, recipes};
pub use files::{inspect, latents, read_file, write_read};
pub use pixels::{pictures, render_small};

/// The file with the checksum of each chunk as it should be: mutations of a real one get past them.
fn repaired(bytes: &[u8]) -> Vec<u8> {
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
