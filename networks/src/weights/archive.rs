//! The three containers of tensors, read as tables of tensor locations.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use safetensors::tensor::Metadata;
use zip::{CompressionMethod, ZipArchive};

use super::pickle::{Fault, Object, Pickle, Stored};
use super::{Dtype, Entry, MOST_HEADER_BYTES, MOST_PICKLE_BYTES, row_major};

type Tensors = HashMap<String, Entry>;

/// A part of the file: start and length in bytes.
type Part = (u64, u64);

fn malformed(what: impl ToString) -> Fault {
    Fault::Malformed(what.to_string())
}

/// `.safetensors`: the header's length, the header in JSON, the values.
pub(super) fn safetensors(file: &mut File, length: u64) -> Result<Tensors, Fault> {
    let mut bytes = [0; 8];
    file.rewind().map_err(malformed)?;
    file.read_exact(&mut bytes).map_err(malformed)?;
    let header = u64::from_le_bytes(bytes);
    if header > MOST_HEADER_BYTES || header.saturating_add(8) > length {
        return Err(malformed(format!("a header of {header} bytes")));
    }
    let mut text = vec![0; header as usize];
    file.read_exact(&mut text).map_err(malformed)?;
    let metadata: Metadata = serde_json::from_slice(&text).map_err(malformed)?;
    let values = 8 + header;
    let entries = metadata.tensors().into_iter().map(|(name, tensor)| {
        let dtype = match tensor.dtype {
            safetensors::Dtype::F32 => Dtype::F32,
            safetensors::Dtype::F64 => Dtype::F64,
            safetensors::Dtype::F16 => Dtype::F16,
            safetensors::Dtype::BF16 => Dtype::Bf16,
            _ => Dtype::Other(1),
        };
        let (start, end) = tensor.data_offsets;
        let entry = Entry {
            dtype,
            strides: row_major(&tensor.shape),
            shape: tensor.shape.clone(),
            start: values.saturating_add(start as u64),
            room: (end as u64).saturating_sub(start as u64),
        };
        (name, entry)
    });
    Ok(entries.collect())
}

/// A `.pth` file since PyTorch 1.6: an archive of a pickle and of storages, all uncompressed.
pub(super) fn zipped(file: &File, length: u64) -> Result<Tensors, Fault> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(malformed)?;
    let mut parts = HashMap::new();
    let mut pickle = None;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(malformed)?;
        let name = entry.name().map_err(malformed)?.into_owned();
        if name.ends_with("/data.pkl") {
            let mut bytes = Vec::new();
            let mut limited = Read::by_ref(&mut entry).take(MOST_PICKLE_BYTES as u64);
            limited.read_to_end(&mut bytes).map_err(malformed)?;
            pickle = Some(bytes);
        } else if let Some((_, key)) = name.rsplit_once("/data/")
            && entry.compression() == CompressionMethod::Stored
        {
            let start = entry.data_start().unwrap_or(length);
            let size = entry.size().min(length.saturating_sub(start));
            parts.insert(key.to_owned(), (start, size));
        }
    }
    let pickle = pickle.ok_or_else(|| malformed("an archive without a pickle of tensors"))?;
    entries(&Pickle::read(&pickle)?, &parts)
}

/// An older `.pth` file, such as torchvision's first ones: five pickles (a number, a version, the machine, the tensors,
/// the storages' keys), then each storage preceded by its length in values.
pub(super) fn legacy(file: &mut File, length: u64) -> Result<Tensors, Fault> {
    file.rewind().map_err(malformed)?;
    let mut bytes = Vec::new();
    let mut limited = Read::by_ref(file).take(2 * MOST_PICKLE_BYTES as u64);
    limited.read_to_end(&mut bytes).map_err(malformed)?;
    let mut at = 0;
    let mut next = || -> Result<Pickle, Fault> {
        let pickle = Pickle::read(&bytes[at..])?;
        at += pickle.length;
        Ok(pickle)
    };
    for _ in 0..3 {
        next()?;
    }
    let (tensors, keys) = (next()?, next()?);
    let Object::List(ids) = keys.object(keys.root) else {
        return Err(malformed("a list of storages that is none"));
    };
    let sizes: HashMap<&str, usize> = tensors
        .storages()
        .map(|(dtype, key)| (key, dtype.bytes()))
        .collect();
    let mut start = at as u64;
    let mut parts = HashMap::new();
    for &id in ids {
        let Object::Text(key) = keys.object(id) else {
            return Err(malformed("a storage without a key"));
        };
        let size = *sizes
            .get(key.as_str())
            .ok_or_else(|| malformed("a storage that no tensor has"))?;
        let mut count = [0; 8];
        file.seek(SeekFrom::Start(start)).map_err(malformed)?;
        file.read_exact(&mut count).map_err(malformed)?;
        start += 8;
        let bytes = u64::from_le_bytes(count).checked_mul(size as u64);
        let end = bytes.and_then(|bytes| start.checked_add(bytes));
        let end = end.filter(|end| *end <= length);
        let end = end.ok_or_else(|| malformed("a storage that leaves the file"))?;
        parts.insert(key.clone(), (start, end - start));
        start = end;
    }
    entries(&tensors, &parts)
}

/// Locates the tensors of `pickle` from the locations of its storages.
fn entries(pickle: &Pickle, parts: &HashMap<String, Part>) -> Result<Tensors, Fault> {
    let mut tensors = Tensors::new();
    for (name, stored) in pickle.tensors() {
        tensors.insert(name.to_owned(), entry(stored, parts)?);
    }
    match tensors.is_empty() {
        true => Err(malformed("no dictionary of tensors in it")),
        false => Ok(tensors),
    }
}

fn entry(stored: &Stored, parts: &HashMap<String, Part>) -> Result<Entry, Fault> {
    let part = parts.get(&stored.storage);
    let &(start, length) = part.ok_or_else(|| malformed("a storage is missing"))?;
    let skipped = (stored.offset as u64).saturating_mul(stored.dtype.bytes() as u64);
    Ok(Entry {
        dtype: stored.dtype,
        shape: stored.shape.clone(),
        strides: stored.strides.clone(),
        start: start.saturating_add(skipped),
        room: length.saturating_sub(skipped),
    })
}
