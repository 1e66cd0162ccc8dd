//! How much memory the pictures in work may take together (`--memory`).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use inr::{Depth, PictureFile, ReadOptions};

use crate::failure::refused;

/// Bytes of the program, its threads and its tables.
const BASE: u64 = 48 << 20;
/// Bytes that a source takes while it is read, for each pixel, and bytes for each sample while it is encoded besides the
/// sample itself. Measured: 10 to 29 bytes a pixel in all (12 MP, grey to RGBA, 8 bits to float).
const READ: u64 = 16;
const WORK: u64 = 7;

/// Memory for encodes, shared by those that run at the same time.
pub struct Memory {
    most: Option<u64>,
    free: Mutex<u64>,
    freed: Condvar,
    /// Held by the one picture that is read or waits.
    door: Mutex<()>,
}

/// The share of one encode, which it gives back when it ends.
pub struct Share<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    /// `most`: bytes that the program may take, or none for any number.
    pub fn new(most: Option<u64>) -> Result<Self> {
        let free = most.map_or(Ok(u64::MAX), |most| {
            most.checked_sub(BASE).ok_or_else(|| {
                let what = format!("--memory {most}, but the program itself takes {BASE} bytes");
                refused(what, "allow more memory")
            })
        })?;
        Ok(Self {
            most,
            free: Mutex::new(free),
            freed: Condvar::new(),
            door: Mutex::new(()),
        })
    }

    /// Reads a picture with `read` and waits until there is room to encode it.
    ///
    /// # Errors
    /// Those of `read`, and a picture that takes more than all of the memory.
    pub fn admit(
        &self,
        options: &ReadOptions,
        read: impl FnOnce(&ReadOptions) -> Result<PictureFile>,
    ) -> Result<(PictureFile, Share<'_>)> {
        let Some(most) = self.most else {
            let share = Share {
                memory: self,
                bytes: 0,
            };
            return Ok((read(options)?, share));
        };
        let _door = locked(&self.door);
        let mut options = options.clone();
        options.limits.pixels = options.limits.pixels.min((most - BASE) / READ);
        let file = read(&options)?;
        let bytes = need(&file);
        if bytes > most - BASE {
            let (megabyte, least) = (1e6, bytes + BASE);
            let what = format!(
                "encoding it takes about {:.0} MB of memory, and --memory allows {:.0}",
                least as f64 / megabyte,
                most as f64 / megabyte
            );
            return Err(refused(what, "allow more memory, or encode a part of it"));
        }
        let mut free = locked(&self.free);
        while *free < bytes {
            free = self
                .freed
                .wait(free)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        let share = Share {
            memory: self,
            bytes,
        };
        Ok((file, share))
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut free = locked(&self.memory.free);
        *free = free.saturating_add(self.bytes);
        self.memory.freed.notify_all();
    }
}

/// Bytes that encoding the picture takes, about and at most.
fn need(file: &PictureFile) -> u64 {
    let picture = &file.picture;
    let sample = match picture.depth() {
        Depth::U8 => 1,
        Depth::U16 => 2,
        Depth::F32 => 4,
    };
    picture.pixels() * picture.layout().channels() as u64 * (sample + WORK) + 4 * picture.pixels()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
