//! Runs the plug-in's filters on tiles.

use std::ffi::CStr;
use std::sync::LazyLock;

use inr_plugin_api::host::{LoadError, Options, Pixmap, Plugin, Request, Session, Source};
use inr_plugin_api::{Failure, Filter, Format, Kind, Layout, Param, Region, Sample, Value};

/// Tolerated influence of pixels beyond a tile, relative to their influence at its border.
const TOLERANCE: f64 = 1e-5;
/// Maximum radius of screened equations in pixels. The margin of a tile is eleven times the radius.
const MAX_RADIUS: f64 = 50.0;

/// A filter as an operation.
pub(crate) struct Local {
    /// Key in the plug-in.
    pub(crate) key: &'static str,
    /// Name in GEGL.
    pub(crate) name: &'static CStr,
    /// Name of its type.
    pub(crate) type_name: &'static CStr,
    /// Categories in menus.
    pub(crate) categories: &'static CStr,
}

/// All operations.
pub(crate) static ALL: [Local; 3] = [
    Local {
        key: "gradient",
        name: c"inr:gradient",
        type_name: c"InrGeglGradient",
        categories: c"edge-detect",
    },
    Local {
        key: "laplacian",
        name: c"inr:laplacian",
        type_name: c"InrGeglLaplacian",
        categories: c"edge-detect",
    },
    Local {
        key: "sharpen",
        name: c"inr:sharpen",
        type_name: c"InrGeglSharpen",
        categories: c"enhance:sharpen",
    },
];

/// A rectangle of pixels: left, top, width, height.
pub(crate) type Rectangle = [u32; 4];

/// A part of a picture.
pub(crate) struct Tile {
    pub(crate) pixels: Pixmap,
    /// Column and row of its first pixel in the picture.
    pub(crate) origin: [u32; 2],
    /// Width and height of the whole picture.
    pub(crate) picture: [u32; 2],
}

fn plugin() -> Result<&'static Plugin, Failure> {
    static PLUGIN: LazyLock<Result<Plugin, LoadError>> =
        LazyLock::new(|| Plugin::from_export(inr_plugin::inr_get_api, "libinr_plugin".into()));
    Ok(PLUGIN.as_ref()?)
}

/// Opens a session with a single thread, because GEGL calls operations on threads of its own.
fn session() -> Result<Session, Failure> {
    plugin()?.open(&Options {
        threads: 1,
        ..Options::default()
    })
}

impl Local {
    /// The plug-in's description of the filter.
    pub(crate) fn described(&self) -> Result<&'static Filter, Failure> {
        plugin()?.filter(self.key).map(|(_, filter)| filter)
    }

    /// Parameters of the filter, with ranges in which it is local.
    pub(crate) fn params(&self) -> Result<Vec<Param>, Failure> {
        let mut params = self.described()?.params.clone();
        for param in &mut params {
            if let ("radius", Kind::Number { range, .. }) = (param.key.as_str(), &mut param.kind) {
                range[1] = range[1].min(MAX_RADIUS);
            }
        }
        Ok(params)
    }

    fn request<'a>(&'a self, source: Source<'a>, values: &[(String, Value)]) -> Request<'a> {
        Request {
            filter: self.key,
            sources: vec![source],
            values: values.to_vec(),
            region: None,
        }
    }

    /// Layout of the output for inputs of `layout`, and the halo: the number of source pixels around its own position that an
    /// output pixel depends on.
    ///
    /// Sharpening solves a global equation, but the influence of one pixel on another falls by e^-k per pixel of distance,
    /// where cosh k = 1 + 1 / (2 radius^2).
    pub(crate) fn plan(
        &self,
        layout: Layout,
        values: &[(String, Value)],
    ) -> Result<(Layout, u32), Failure> {
        let pixel = Pixmap::new([1, 1], Format::plain(Sample::F32, layout));
        let request = self.request(Source::whole(None, &pixel), values);
        let plan = session()?.plan(&request)?;
        let radius = values.iter().find_map(|(key, value)| match value {
            Value::Number(radius) if key == "radius" => Some(*radius),
            _ => None,
        });
        let falls = |radius: f64| (1.0 + 0.5 / (radius * radius)).acosh();
        let reach = |radius| (-TOLERANCE.ln() / falls(radius)).ceil() as u32;
        let halo = plan.halo.or(radius.map(reach));
        let halo =
            halo.ok_or_else(|| Failure::unsupported("the filter needs the whole picture"))?;
        Ok((plan.layout, halo))
    }

    /// Computes the pixels of `wanted`, a rectangle of the picture, from a tile with the halo of [`Local::plan`].
    pub(crate) fn apply(
        &self,
        tile: &Tile,
        wanted: Rectangle,
        layout: Layout,
        values: &[(String, Value)],
    ) -> Result<Pixmap, Failure> {
        let [mut left, mut top, width, height] = wanted;
        let mut source = Source {
            key: None,
            pixels: &tile.pixels,
            origin: tile.origin,
            picture: Some(tile.picture),
        };
        if self.described()?.is_global() {
            // The tile replaces the picture.
            source = Source::whole(None, &tile.pixels);
            left -= tile.origin[0];
            top -= tile.origin[1];
        }
        let mut request = self.request(source, values);
        request.region = Some(Region {
            origin: [left.into(), top.into()],
            step: [1.0; 2],
            size: [width, height],
        });
        let mut made = Pixmap::new([width, height], Format::plain(Sample::F32, layout));
        session()?.run(&request, &mut made, None)?;
        Ok(made)
    }
}
