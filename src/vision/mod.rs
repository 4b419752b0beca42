//! From a frame to the model's input: find the parts, crop, resize, grey, normalise.
//!
//! Owns the order of the steps, which `run`, `eval`, `inspect` and `train` share. Pure: must not know the clock, threads or
//! the engine. Memory is kept from frame to frame; once it is warm nothing is allocated.

pub mod alter;
mod convert;
pub(crate) mod disc;
pub mod familiar;
mod focus;
pub(crate) mod ground;
mod health;
mod inspection;
mod locate;
mod normalise;
pub mod overlay;
mod resize;
mod round;
mod seek;
mod squares;
pub mod warp;

pub use focus::frame_sharpness;
pub use health::Unhealthy;
pub use inspection::{Inspection, Sighting};
pub use round::Framing;

use crate::config::manifest::{Colour, Input, Normalise};
use crate::config::timing::BeltView;
use crate::config::{Config, Preprocess, Region, Trigger};
use crate::frame::{Frame, PixelFormat};
use crate::kernels::MapSize;
use crate::verdict::Reason;

use disc::Plane;
use health::{Health, Shows};
use locate::{Found, Locator, Scale};
use normalise::Normaliser;
use resize::Resizer;
use round::Round;

/// Most parts that are looked for in one frame.
pub const MAX_SIGHTINGS: usize = 16;

/// The belt's usual grey follows the belt by this share with every frame: a change of light is taken for usual after some seconds.
const BELT_FOLLOWS: f64 = 0.02;

/// How parts are found.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    part_mm: f64,
    margin: f64,
    tolerance: f64,
    contrast: u8,
    /// Whether all frames show the same belt.
    one_belt: bool,
}

/// Prepares frames for a model.
pub struct Preprocessor {
    input: Input,
    region: Option<Region>,
    /// How the picture lies on the belt, where there is one.
    view: Option<BeltView>,
    finding: Option<Finding>,
    locator: Locator,
    resizer: Resizer,
    normaliser: Normaliser,
    round: Round,
    /// How the last picture lies in what the model sees.
    framing: Framing,
    colour: Vec<u8>,
    luma: Vec<u8>,
    square: Vec<u8>,
    small: Vec<u8>,
    found: Vec<Found>,
    /// Width and height of the last frame's region, and the side of the squares that were cut out of it, in pixels.
    extent: (usize, usize),
    side: usize,
    health: Health,
    /// Why the last frame could not be judged, if so.
    trouble: Option<Unhealthy>,
    /// The belt's usual grey.
    belt: Option<f64>,
}

impl Preprocessor {
    /// For the line that `config` describes and a model that wants `input`.
    pub fn for_line(config: &Config, input: &Input) -> Self {
        let finding = config.preprocess.find.then(|| Finding {
            part_mm: config.line.part_length.as_mm(),
            margin: config.preprocess.margin.as_fraction(),
            tolerance: config.preprocess.tolerance.as_fraction(),
            contrast: config.preprocess.contrast,
            one_belt: config.decide.trigger != Trigger::EveryFrame,
        });
        let shows = match (&finding, config.decide.trigger) {
            (None, _) => Shows::Part,
            (Some(_), Trigger::EveryFrame) => Shows::Parts,
            (Some(_), _) => Shows::Belt,
        };
        Self {
            region: config.preprocess.region,
            view: Some(BeltView::of(&config.camera)),
            finding,
            health: Health::new(shows, config.preprocess.min_sharpness),
            ..Self::for_pictures(input)
        }
    }

    /// For pictures that show one part each, as in a labelled folder.
    pub fn for_pictures(input: &Input) -> Self {
        Self {
            input: input.clone(),
            region: None,
            view: None,
            finding: None,
            locator: Locator::default(),
            resizer: Resizer::default(),
            normaliser: Normaliser::new(input),
            round: Round::default(),
            framing: Framing::whole((1, 1), (1, 1)),
            colour: Vec::new(),
            luma: Vec::new(),
            square: Vec::new(),
            small: vec![0; input.len()],
            found: Vec::with_capacity(MAX_SIGHTINGS),
            extent: (0, 0),
            side: 0,
            health: Health::new(Shows::Picture, Preprocess::default().min_sharpness),
            trouble: None,
            belt: None,
        }
    }

    /// Fills `out` from `frame`. A frame that cannot be judged is said so in [`Inspection::unusable`].
    pub fn apply(&mut self, frame: &Frame, out: &mut Inspection) {
        out.reset();
        out.frame = frame.id;
        out.captured_at = frame.captured_at;
        out.received_at = frame.received_at;
        out.origin.clone_from(&frame.origin);
        let area = self.area(frame);
        self.trouble = match area {
            None => Some(Unhealthy::Size),
            Some(area) => {
                self.take(frame, area);
                self.health.of_frame(frame, &self.luma, self.extent)
            }
        };
        if let Some(area) = area {
            out.shown = self.view.map(|view| view.shown(area.x, area.width, frame.width as f64));
        }
        if let (Some(area), None) = (area, self.trouble) {
            match (self.finding.clone(), self.view) {
                (Some(finding), Some(view)) => self.find(&finding, &view, (frame.width, area.x), out),
                _ => self.whole_picture(out),
            }
        }
        out.unusable = out.unusable.or(self.trouble.map(Unhealthy::reason));
    }

    /// Why the frame that was applied last cannot be judged, if it is the picture's own fault.
    pub fn trouble(&self) -> Option<Unhealthy> {
        self.trouble
    }

    /// Fills `out` with the whole picture at the model's size, one byte a value, rows from the top, channels together: what
    /// training keeps of a picture.
    ///
    /// # Errors
    /// Why the picture is not usable. Where nothing can be seen in it, `out` is filled all the same.
    pub fn picture(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), Unhealthy> {
        let area = self.area(frame).ok_or(Unhealthy::Size)?;
        self.take(frame, area);
        let trouble = self.health.of_picture(&self.luma, self.extent);
        if !self.shrink_picture() {
            return Err(trouble.unwrap_or(Unhealthy::NoPart));
        }
        out.clear();
        out.extend_from_slice(&self.small);
        trouble.map_or(Ok(()), Err)
    }

    fn channels(&self) -> usize {
        self.input.colour.channels()
    }

    /// The region of this frame, or `None` when the frame is inconsistent or too small for it.
    fn area(&self, frame: &Frame) -> Option<Region> {
        let (width, height) = (u32::try_from(frame.width).ok()?, u32::try_from(frame.height).ok()?);
        let area = self.region.unwrap_or(Region { x: 0, y: 0, width, height });
        let fits = area.x.checked_add(area.width)? <= width && area.y.checked_add(area.height)? <= height;
        (frame.is_consistent() && fits && area.width > 0 && area.height > 0).then_some(area)
    }

    /// Copies the region out of the frame: in the model's colour, and its luma for finding.
    fn take(&mut self, frame: &Frame, area: Region) {
        self.extent = (area.width as usize, area.height as usize);
        convert::luma(frame, area, &mut self.luma);
        if self.input.colour != Colour::Grey {
            convert::rgb(frame, area, &mut self.colour);
        }
    }

    fn whole_picture(&mut self, out: &mut Inspection) {
        if !self.shrink_picture() {
            self.trouble = Some(Unhealthy::NoPart);
            return;
        }
        self.normaliser.append(&self.small, &mut out.tensors);
        let (sharpness, unlike) = (self.sharpness(), self.unlike());
        let answer = self.health.of_part(true, sharpness, unlike);
        out.sightings.push(Sighting { whole: true, sharpness, unlike, answer, ..Sighting::default() });
    }

    /// How unlike training the model's input is.
    fn unlike(&self) -> Option<f32> {
        let familiar = self.input.familiar.as_ref()?;
        let size = MapSize { height: self.input.height, width: self.input.width };
        Some(familiar::unlike(familiar, size, &self.small) as f32)
    }

    /// How sharp the model's input is.
    fn sharpness(&self) -> f32 {
        convert::sharpness(&self.small, self.input.width * self.channels(), self.channels())
    }

    /// `false` when the part cannot be made out in it.
    fn shrink_picture(&mut self) -> bool {
        let from = self.extent;
        let to = (self.input.width, self.input.height);
        if self.input.normalise == Normalise::Round {
            let plane = Plane { width: from.0, height: from.1, grey: &self.luma };
            let framing = self.round.lay(&plane, to.0, &mut self.small);
            self.framing = framing.unwrap_or(self.framing);
            return framing.is_some();
        }
        let pixels = if self.input.colour != Colour::Grey { &self.colour } else { &self.luma };
        let format = self.format();
        self.resizer.resize(pixels, from, &mut self.small, to, format);
        self.framing = Framing::whole(from, to);
        self.even_light();
        true
    }

    fn even_light(&mut self) {
        if self.input.normalise == Normalise::Light {
            round::level(&mut self.small);
        }
    }

    /// How the last whole picture lies in what the model sees.
    pub fn framing(&self) -> &Framing {
        &self.framing
    }

    /// The picture of sighting `at` of the frame that was applied last, in the camera's resolution: that from which the model's input is
    /// made. `None` for a part that is not whole, or when there is no such sighting.
    pub fn part(&self, at: usize) -> Option<Frame> {
        let pixels = if self.input.colour != Colour::Grey { &self.colour } else { &self.luma };
        let mut part = Frame { format: self.format(), ..Frame::default() };
        if self.finding.is_none() {
            (part.width, part.height) = self.extent;
            part.pixels.clone_from(pixels);
            return (at == 0 && part.is_consistent()).then_some(part);
        }
        let thing = self.found.get(at).filter(|thing| thing.whole)?;
        (part.width, part.height) = (self.side, self.side);
        let corner = corner(thing.centre, self.side);
        convert::square(pixels, self.extent, self.channels(), corner, self.side, &mut part.pixels);
        Some(part)
    }

    fn format(&self) -> PixelFormat {
        match self.input.colour {
            Colour::Grey => PixelFormat::Grey8,
            Colour::Rgb | Colour::Bgr => PixelFormat::Rgb8,
        }
    }

    fn find(
        &mut self,
        finding: &Finding,
        view: &BeltView,
        (width, left): (usize, u32),
        out: &mut Inspection,
    ) {
        let width = width as f64;
        let px_per_mm = width / view.length_mm;
        let part_px = finding.part_mm * px_per_mm;
        let scale = Scale { part_px, tolerance: finding.tolerance, contrast: finding.contrast };
        self.side = (part_px * (1.0 + 2.0 * finding.margin)).round().max(8.0) as usize;
        let mut found = std::mem::take(&mut self.found);
        let grey = f64::from(self.locator.find(&self.luma, self.extent, &scale, &mut found));
        let usual = self.belt.unwrap_or(grey);
        self.belt = Some(usual + (grey - usual) * BELT_FOLLOWS);
        if finding.one_belt && (grey - usual).abs() >= f64::from(finding.contrast) {
            // The view is full of something else, and what little belt there is would be taken for the things on it.
            out.unusable = Some(Reason::BadImage);
            found.clear();
        }
        for thing in &found {
            let centre_mm = view.position(f64::from(left) + thing.centre.0, width);
            let mut sighting = Sighting {
                centre_mm,
                whole: thing.whole,
                cut: thing.cut,
                length_mm: thing.length / px_per_mm,
                ..Sighting::default()
            };
            if thing.whole {
                let made_out = self.crop(thing.centre);
                self.normaliser.append(&self.small, &mut out.tensors);
                sighting.sharpness = self.sharpness();
                sighting.unlike = self.unlike();
                sighting.answer = self.health.of_part(made_out, sighting.sharpness, sighting.unlike);
            }
            out.sightings.push(sighting);
        }
        self.found = found;
    }

    /// Cuts a square around `centre` and shrinks it to the model's size; what lies outside the region is its edge repeated. `false` when
    /// the part cannot be made out in it.
    fn crop(&mut self, centre: (f64, f64)) -> bool {
        let (side, channels) = (self.side, self.channels());
        let pixels = if self.input.colour != Colour::Grey { &self.colour } else { &self.luma };
        convert::square(pixels, self.extent, channels, corner(centre, side), side, &mut self.square);
        let (to, format) = ((self.input.width, self.input.height), self.format());
        if self.input.normalise == Normalise::Round {
            let plane = Plane { width: side, height: side, grey: &self.square };
            return self.round.lay(&plane, to.0, &mut self.small).is_some();
        }
        self.resizer.resize(&self.square, (side, side), &mut self.small, to, format);
        self.even_light();
        true
    }
}

/// The upper left corner of a square around `centre`.
fn corner(centre: (f64, f64), side: usize) -> (isize, isize) {
    let half = side as f64 / 2.0;
    ((centre.0 - half).round() as isize, (centre.1 - half).round() as isize)
}

#[cfg(test)]
mod tests;
