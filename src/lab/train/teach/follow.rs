//! Follows parts through the view of the camera and keeps of each the picture nearest to the middle.

use std::sync::Arc;

use crate::config::Config;
use crate::frame::{Frame, Origin};
use crate::verdict::Reason;
use crate::vision::{Inspection, Preprocessor, Sighting};

/// A picture of one part, cut out as the model sees it but in the camera's resolution.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) frame: Frame,
    /// The file that the frame came from, if it did.
    pub(super) origin: Option<Arc<Origin>>,
}

/// The part that is followed.
struct Followed {
    /// Where it was last, in millimetres from the sensor.
    centre_mm: f64,
    /// Distance of the kept picture from the middle of the view, in millimetres.
    off_middle_mm: f64,
    picture: Picture,
}

/// Follows one part after the other.
pub(super) struct Follow {
    middle_mm: f64,
    part_mm: f64,
    /// Whether each frame is a part of its own.
    each_frame: bool,
    followed: Option<Followed>,
}

impl Follow {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            middle_mm: config.camera.position.as_mm(),
            part_mm: config.line.part_length.as_mm(),
            each_frame: !config.preprocess.find,
            followed: None,
        }
    }

    /// Takes what one frame shows; gives the part that was followed when it has gone or another one has taken its place.
    pub(super) fn see(&mut self, preprocessor: &Preprocessor, seen: &Inspection) -> Option<Picture> {
        if self.each_frame {
            return self.in_view(preprocessor, seen);
        }
        if seen.unusable.is_some() {
            return None;
        }
        let Some((at, sighting)) = self.nearest(seen) else { return self.end() };
        let off_middle_mm = (sighting.centre_mm - self.middle_mm).abs();
        let mut gone = None;
        match &mut self.followed {
            // Parts travel away from the sensor: one that is nearer to it is another one.
            Some(followed) if sighting.centre_mm > followed.centre_mm - self.part_mm / 2.0 => {
                followed.centre_mm = sighting.centre_mm;
                if off_middle_mm >= followed.off_middle_mm {
                    return None;
                }
            }
            followed => gone = followed.take().map(|followed| followed.picture),
        }
        let centre_mm = sighting.centre_mm;
        if let Some(picture) = cut(preprocessor, seen, at) {
            self.followed = Some(Followed { centre_mm, off_middle_mm, picture });
        }
        gone
    }

    /// The part that was followed, when nothing more comes.
    pub(super) fn end(&mut self) -> Option<Picture> {
        self.followed.take().map(|followed| followed.picture)
    }

    /// The part that is nearest to the middle now.
    pub(super) fn in_view(&self, preprocessor: &Preprocessor, seen: &Inspection) -> Option<Picture> {
        if seen.unusable.is_some() {
            return None;
        }
        let (at, _) = self.nearest(seen)?;
        cut(preprocessor, seen, at)
    }

    fn nearest<'a>(&self, seen: &'a Inspection) -> Option<(usize, &'a Sighting)> {
        let usable = |sighting: &Sighting| {
            sighting.whole && !matches!(sighting.answer, Some(Err(Reason::BadImage | Reason::Blurred)))
        };
        let off_middle = |sighting: &Sighting| (sighting.centre_mm - self.middle_mm).abs();
        let parts = seen.sightings.iter().enumerate().filter(|(_, sighting)| usable(sighting));
        parts.min_by(|a, b| off_middle(a.1).total_cmp(&off_middle(b.1)))
    }
}

fn cut(preprocessor: &Preprocessor, seen: &Inspection, at: usize) -> Option<Picture> {
    let frame = preprocessor.part(at)?;
    Some(Picture { frame, origin: seen.origin.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::manifest::Input;
    use crate::units::{Length, Share};

    /// 2 px a millimetre; a bright part of 60 mm at each of `parts` (in millimetres from the sensor), the view from 50 to 350 mm.
    fn belt(parts: &[f64], seed: u8) -> Frame {
        let (width, height) = (600, 240);
        let mut pixels: Vec<u8> = (0..width * height).map(|i| 150 + ((i * 7919) % 11) as u8).collect();
        pixels[0] = seed;
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = ((i % width) as f64, (i / width) as f64);
            for &part in parts {
                let r = ((x - (part - 50.0) * 2.0).powi(2) + (y - 120.0).powi(2)).sqrt();
                *pixel = if r < 25.0 {
                    30
                } else if r < 60.0 {
                    215
                } else {
                    *pixel
                };
            }
        }
        Frame { width, height, pixels, ..Frame::default() }
    }

    #[test]
    fn each_part_is_taken_once_from_the_frame_where_it_is_nearest_to_the_middle() {
        let mut config = Config::default();
        config.camera.position = Length::mm(200.0);
        config.camera.view = Length::mm(300.0);
        config.line.part_length = Length::mm(60.0);
        config.preprocess.margin = Share::fraction(0.1);
        let input = Input { width: 16, height: 16, mean: 0.5.into(), std: 0.5.into(), ..Input::default() };
        let mut preprocessor = Preprocessor::for_line(&config, &input);
        let mut follow = Follow::new(&config);
        let mut seen = Inspection::default();
        let (mut taken, mut kept) = (Vec::new(), Vec::new());
        // Three parts, 150 mm apart, on a belt that moves 23 mm from frame to frame.
        for step in 0..30u8 {
            let travel = 23.0 * f64::from(step);
            let parts: Vec<f64> = [60.0, -90.0, -240.0].iter().map(|at| at + travel).collect();
            preprocessor.apply(&belt(&parts, step), &mut seen);
            taken.extend(follow.see(&preprocessor, &seen));
            kept.push(follow.followed.as_ref().map(|followed| followed.off_middle_mm));
        }
        taken.extend(follow.end());
        assert_eq!(taken.len(), 3);
        assert!(taken.iter().all(|picture| (picture.frame.width, picture.frame.height) == (144, 144)));
        // The last frame of each is within half a step of the middle.
        let best =
            kept.windows(2).filter(|pair| pair[1].is_none() || pair[1] > pair[0]).filter_map(|pair| pair[0]);
        assert!(best.into_iter().all(|off| off <= 12.5), "{kept:?}");
    }
}
