//! A complete file in memory.

use crate::blob;
use crate::chunk::{self, Chunk, FILE_HEADER, RawChunk, SIGNATURE, VERSION};
use crate::chunk_kind::ChunkKind;
use crate::error::FormatError;
use crate::head;
use crate::header::Header;
use crate::latents::{self, Latents};
use crate::limits::{Limits, within};
use crate::model::Model;
use crate::opacity::{self, OpacityMap};
use crate::provenance::Provenance;
use crate::tensor::{LayerData, Tensor};
use crate::weights;

/// Maximum size of a preview in bytes.
const MAX_PREVIEW: u64 = 1 << 16;

/// The contents of a `.inr` file.
#[derive(Clone, Debug, PartialEq)]
pub struct InrFile {
    /// Size, samples, colour and model.
    pub header: Header,
    /// The weights, first layer to last, in the shapes of [`crate::Mlp::layer_shapes`].
    pub layers: Vec<LayerData>,
    /// The latent grids, present only for [`crate::Model::Pyramid`].
    pub latents: Option<Latents>,
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
    /// Exif block, from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// How the file came to be.
    pub provenance: Option<Provenance>,
    /// A small JPEG or PNG of the picture, at most 64 KiB; its contents are not checked.
    pub preview: Option<Vec<u8>>,
    /// Where alpha is exactly 0 or 1, only for layouts with alpha.
    pub opacity: Option<OpacityMap>,
    /// Ancillary chunks unknown to this version, in file order; written back unchanged.
    pub unknown: Vec<Chunk>,
}

impl InrFile {
    /// Creates a file without metadata.
    pub fn new(header: Header, layers: Vec<LayerData>) -> Self {
        Self {
            header,
            layers,
            latents: None,
            icc: None,
            exif: None,
            xmp: None,
            provenance: None,
            preview: None,
            opacity: None,
            unknown: Vec::new(),
        }
    }

    /// Reads the file in `bytes` and checks all of it.
    ///
    /// # Errors
    /// Any variant of [`FormatError`] except those of [`crate::Family::Misuse`]. No input makes this panic, or allocate
    /// more than a small multiple of the file and of `limits`.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, FormatError> {
        Self::read_all(bytes, limits, false)
    }

    /// Reads a truncated file: everything up to the cut, and all complete segments of the latents, coarse to fine; the
    /// remaining segments are empty. A complete file gives the same as [`InrFile::read`].
    ///
    /// Truncated latents have lost their checksum, so damage in the remaining part is not detected.
    ///
    /// # Errors
    /// Same as [`InrFile::read`], except that a file may end anywhere after the lengths of the latents' segments, or
    /// after the weights of a network. A cut within `HEAD` gives the errors of a file that ends early, one before the
    /// latents or within the weights [`FormatError::MissingChunk`], and one within the latents' parameters or lengths
    /// [`FormatError::GridTooShort`].
    pub fn read_partial(bytes: &[u8], limits: &Limits) -> Result<Self, FormatError> {
        Self::read_all(bytes, limits, true)
    }

    fn read_all(bytes: &[u8], limits: &Limits, cut: bool) -> Result<Self, FormatError> {
        within("bytes of the file", bytes.len() as u64, limits.file_bytes)?;
        chunk::check_file_header(bytes)?;
        let first = chunk::chunk_at(bytes, FILE_HEADER)?;
        if first.kind != ChunkKind::HEAD {
            return Err(FormatError::HeadNotFirst {
                chunk: first.kind,
                offset: first.offset,
            });
        }
        first.verify()?;
        let header = head::read(first.offset, first.payload)?;
        header.check(limits)?;
        let mut builder = Builder {
            file: Self::new(header, Vec::new()),
            seen: vec![ChunkKind::HEAD],
            limits,
            cut: false,
        };
        let mut position = first.end();
        loop {
            let raw = match chunk::chunk_at(bytes, position) {
                Err(FormatError::MissingEnd { .. } | FormatError::Truncated { .. }) if cut => {
                    builder.cut = true;
                    if let Some(raw) = chunk::cut_chunk_at(bytes, position)
                        && raw.kind == ChunkKind::GRID
                    {
                        builder.add(&raw)?;
                    }
                    return builder.finish();
                }
                raw => raw?,
            };
            raw.verify()?;
            position = raw.end();
            if raw.kind == ChunkKind::END {
                check_end(&raw, bytes.len())?;
                return builder.finish();
            }
            builder.add(&raw)?;
        }
    }

    /// Serialises the file. Equal files give equal bytes.
    ///
    /// # Errors
    /// The variants that [`InrFile::read`] without size limits would return for such a file. Also
    /// [`FormatError::NotAncillary`] for an entry of `unknown` with the type of a critical or known chunk, and
    /// [`FormatError::OverLimit`] for a payload above 2^32 - 1 bytes.
    pub fn write(&self) -> Result<Vec<u8>, FormatError> {
        self.header.check(&Limits::NONE)?;
        self.check_layers()?;
        let mut out = Vec::new();
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        chunk::append(&mut out, ChunkKind::HEAD, &head::write(&self.header)?)?;
        append_blob(&mut out, ChunkKind::ICC, self.icc.as_deref())?;
        // Before the weights, so that a reader on a slow connection can show the preview early.
        if let Some(preview) = &self.preview {
            within("bytes of chunk prev", preview.len() as u64, MAX_PREVIEW)?;
            chunk::append(&mut out, ChunkKind::PREVIEW, preview)?;
        }
        match &self.latents {
            Some(latents) => {
                chunk::append(&mut out, ChunkKind::GRID, &latents::write(latents)?)?;
            }
            None => {
                let shapes = self.header.layer_shapes();
                let payload = weights::write(&self.layers, &shapes)?;
                chunk::append(&mut out, ChunkKind::WEIGHTS, &payload)?;
            }
        }
        if let Some(opacity) = &self.opacity {
            let (width, height) = (self.header.width, self.header.height);
            if !self.header.layout.has_alpha() || !opacity.fits(width, height) {
                return Err(opacity::malformed("one of another picture"));
            }
            chunk::append(&mut out, ChunkKind::OPACITY, &opacity.write())?;
        }
        append_blob(&mut out, ChunkKind::EXIF, self.exif.as_deref())?;
        append_blob(&mut out, ChunkKind::XMP, self.xmp.as_deref())?;
        if let Some(provenance) = &self.provenance {
            chunk::append(&mut out, ChunkKind::PROVENANCE, &provenance.write()?)?;
        }
        for unknown in &self.unknown {
            let kind = ChunkKind(unknown.kind);
            if !kind.0.iter().all(u8::is_ascii_alphabetic) || kind.is_critical() || kind.is_known()
            {
                return Err(FormatError::NotAncillary {
                    found: unknown.kind,
                });
            }
            chunk::append(&mut out, kind, &unknown.payload)?;
        }
        chunk::append(&mut out, ChunkKind::END, &[])?;
        Ok(out)
    }

    /// Checks the weights, or the latents, against the model.
    fn check_layers(&self) -> Result<(), FormatError> {
        match &self.latents {
            Some(latents) => latents.check_against(&self.header)?,
            None if matches!(self.header.model, Model::Pyramid) => {
                return Err(FormatError::MissingChunk {
                    chunk: ChunkKind::GRID,
                });
            }
            None => {}
        }
        let shapes = self.header.layer_shapes();
        if shapes.len() != self.layers.len() {
            let (found, wanted) = (self.layers.len() as u64, shapes.len() as u64);
            return Err(FormatError::LayerCount { found, wanted });
        }
        let counts = shapes.iter().flat_map(|&(rows, columns)| {
            [(rows as u64).saturating_mul(columns as u64), rows as u64]
        });
        for (tensor, (wanted, values)) in counts.zip(weights::tensors(&self.layers)).enumerate() {
            let found = Tensor::len(values) as u64;
            if found != wanted {
                return Err(FormatError::WeightCount {
                    tensor,
                    found,
                    wanted,
                });
            }
        }
        Ok(())
    }
}

fn append_blob(out: &mut Vec<u8>, kind: ChunkKind, data: Option<&[u8]>) -> Result<(), FormatError> {
    match data {
        Some(data) => chunk::append(out, kind, &blob::pack(kind, data)?),
        None => Ok(()),
    }
}

/// Checks that `IEND` is empty and ends the file.
fn check_end(end: &RawChunk<'_>, file: usize) -> Result<(), FormatError> {
    if !end.payload.is_empty() {
        return Err(FormatError::EndNotEmpty {
            offset: end.offset,
            length: end.length(),
        });
    }
    let count = file.saturating_sub(end.end()) as u64;
    if count > 0 {
        return Err(FormatError::TrailingBytes {
            offset: end.end() as u64,
            count,
        });
    }
    Ok(())
}

/// A file under construction from its chunks.
struct Builder<'l> {
    file: InrFile,
    seen: Vec<ChunkKind>,
    limits: &'l Limits,
    /// Whether the file ends within the chunk being added.
    cut: bool,
}

impl Builder<'_> {
    /// Adds a chunk whose checksum has been verified.
    fn add(&mut self, raw: &RawChunk<'_>) -> Result<(), FormatError> {
        if raw.kind.is_known() {
            if self.seen.contains(&raw.kind) {
                return Err(FormatError::Duplicate {
                    chunk: raw.kind,
                    offset: raw.offset,
                });
            }
            self.seen.push(raw.kind);
        }
        let metadata = |what| blob::unpack(raw, what, self.limits.metadata_bytes);
        match raw.kind {
            ChunkKind::GRID | ChunkKind::WEIGHTS if raw.kind != self.data() => {
                return Err(FormatError::UnsupportedChunk {
                    chunk: raw.kind,
                    offset: raw.offset,
                });
            }
            ChunkKind::GRID => {
                let latents = latents::read(raw, &self.file.header, self.limits, self.cut)?;
                self.file.latents = Some(latents);
            }
            ChunkKind::WEIGHTS => {
                self.file.layers = weights::read(raw, &self.file.header.layer_shapes())?;
            }
            ChunkKind::ICC => {
                self.file.icc = Some(metadata("bytes of the ICC profile")?.into_owned());
            }
            ChunkKind::EXIF => {
                self.file.exif = Some(metadata("bytes of the Exif block")?.into_owned());
            }
            ChunkKind::XMP => {
                self.file.xmp = Some(metadata("bytes of the XMP packet")?.into_owned());
            }
            ChunkKind::PROVENANCE => {
                self.file.provenance = Some(Provenance::read(raw.offset, raw.payload)?);
            }
            ChunkKind::PREVIEW => {
                within("bytes of chunk prev", raw.payload.len() as u64, MAX_PREVIEW)?;
                self.file.preview = Some(raw.payload.to_vec());
            }
            ChunkKind::OPACITY if !self.file.header.layout.has_alpha() => {
                return Err(opacity::malformed("one of a picture without alpha"));
            }
            ChunkKind::OPACITY => {
                let (width, height) = (self.file.header.width, self.file.header.height);
                let map = OpacityMap::read(raw.payload, width, height)?;
                self.file.opacity = Some(map);
            }
            kind if kind.is_critical() => {
                return Err(FormatError::UnsupportedChunk {
                    chunk: kind,
                    offset: raw.offset,
                });
            }
            kind => self.file.unknown.push(Chunk {
                kind: kind.0,
                payload: raw.payload.to_vec(),
            }),
        }
        Ok(())
    }

    /// Type of the chunk that holds the weights or latents.
    fn data(&self) -> ChunkKind {
        match self.file.header.model {
            Model::Mlp(_) => ChunkKind::WEIGHTS,
            Model::Pyramid => ChunkKind::GRID,
        }
    }

    fn finish(self) -> Result<InrFile, FormatError> {
        let chunk = self.data();
        if !self.seen.contains(&chunk) {
            return Err(FormatError::MissingChunk { chunk });
        }
        Ok(self.file)
    }
}
