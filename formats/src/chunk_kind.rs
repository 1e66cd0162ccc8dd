//! The types of chunks.

/// The four ASCII letters of a chunk type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkKind(pub [u8; 4]);

impl ChunkKind {
    pub(crate) const HEAD: Self = Self(*b"HEAD");
    pub(crate) const WEIGHTS: Self = Self(*b"NETW");
    pub(crate) const GRID: Self = Self(*b"GRID");
    pub(crate) const END: Self = Self(*b"IEND");
    pub(crate) const ICC: Self = Self(*b"iccp");
    pub(crate) const EXIF: Self = Self(*b"exif");
    pub(crate) const XMP: Self = Self(*b"xmpk");
    pub(crate) const PROVENANCE: Self = Self(*b"prov");
    pub(crate) const PREVIEW: Self = Self(*b"prev");
    pub(crate) const OPACITY: Self = Self(*b"opac");

    /// Whether a reader that does not know the type must refuse the file; true when the first letter is upper case.
    pub fn is_critical(self) -> bool {
        self.0[0].is_ascii_uppercase()
    }

    /// Whether this version knows the type.
    pub(crate) fn is_known(self) -> bool {
        [
            Self::HEAD,
            Self::WEIGHTS,
            Self::GRID,
            Self::END,
            Self::ICC,
            Self::EXIF,
            Self::XMP,
            Self::PROVENANCE,
            Self::PREVIEW,
            Self::OPACITY,
        ]
        .contains(&self)
    }
}

impl std::fmt::Display for ChunkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl std::fmt::Debug for ChunkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChunkKind({self})")
    }
}
