//! JPEGs without libjpeg.

use std::fs;
use std::path::Path;

use inr_image::{Error, Limits, read_picture};

fn read(name: &str) -> Result<(), Error> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(name);
    read_picture(&fs::read(path).unwrap(), &Limits::default()).map(drop)
}

#[test]
fn what_the_plain_decoder_gets_wrong_is_refused() {
    for name in ["arithmetic", "luma-subsampled", "noninterleaved-420"] {
        let error = read(&format!("faults/{name}.jpg")).unwrap_err();
        assert!(
            matches!(error, Error::Unsupported { .. }),
            "{name}: {error}"
        );
    }
    assert!(matches!(
        read("faults/truncated.jpg"),
        Err(Error::Corrupt { .. })
    ));
    read("faults/orientation-exif-xmp.jpg").unwrap();
}
