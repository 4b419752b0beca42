//! Random changes to training pictures that leave the part what it is: how it lies, how it is framed, how it is lit, how it is seen.
//!
//! Owns the kinds of change, their ranges and the presets. What a change does to pixels is in `augment/change.rs`. Must not know files or
//! the network.

mod change;

use std::fmt;
use std::str::FromStr;

pub use change::Change;

/// Declares the kinds: name, and the amounts of the presets `flips`, `full` and `paper`.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $flips:expr, $full:expr, $paper:expr;)+) => {
        /// A kind of change. Each has an amount; 0 is none of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)+];

            /// Its name on the command line and in manifests.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }

            const fn presets(self) -> [f64; 3] {
                match self {
                    $(Kind::$kind => [$flips, $full, $paper],)+
                }
            }
        }
    };
}

kinds! {
    /// Share of pictures that are mirrored left to right, and of those that are mirrored top to bottom.
    Flip = "flip", 0.5, 0.5, 0.5;
    /// Share of pictures that are turned by a quarter, a half or three quarters.
    Quarter = "quarter", 0.75, 0.75, 0.0;
    /// Turn to either side, in degrees.
    Turn = "turn", 0.0, 6.0, 4.0;
    /// Shift to either side, as a share of the side.
    Shift = "shift", 0.0, 0.05, 0.0;
    /// Zoom in or out, as a share.
    Zoom = "zoom", 0.0, 0.13, 0.2;
    /// Stretch of one direction against the other, as a share.
    Stretch = "stretch", 0.0, 0.04, 0.0;
    /// Shear, in radians as a tangent.
    Shear = "shear", 0.0, 0.0, 0.2;
    /// More or less light, as a share; white clips.
    Exposure = "exposure", 0.0, 0.25, 0.0;
    /// Contrast around the middle grey, as a share.
    Gain = "gain", 0.0, 0.15, 0.0;
    /// Exponent of the grey levels, up or down from 1.
    Gamma = "gamma", 0.0, 0.3, 0.0;
    /// Most blur: standard deviation as a share of the side.
    Blur = "blur", 0.0, 0.004, 0.0;
    /// Most noise: standard deviation in grey levels of the picture that the network sees.
    Noise = "noise", 0.0, 6.0, 0.0;
    /// Share of pictures of round parts whose ground gets another grey.
    Ground = "ground", 0.0, 0.3, 0.0;
    /// Longest blur by movement, as a share of the side.
    Motion = "motion", 0.0, 0.01, 0.0;
    /// Share of pictures over which the picture of a good part is laid.
    Blend = "blend", 0.0, 0.0, 0.0;
}

/// Number of kinds.
const KINDS: usize = Kind::ALL.len();
/// Greatest amount of each kind: more is a slip of the keyboard.
const MOST: f64 = 180.0;

/// Which changes are made, and how strongly: a preset with other amounts for some kinds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    preset: Preset,
    amounts: [f64; KINDS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Preset {
    None,
    Flips,
    Full,
    Paper,
}

impl Preset {
    const ALL: [Preset; 4] = [Preset::None, Preset::Flips, Preset::Full, Preset::Paper];

    const fn name(self) -> &'static str {
        match self {
            Preset::None => "none",
            Preset::Flips => "flips",
            Preset::Full => "full",
            Preset::Paper => "paper",
        }
    }

    fn amount(self, kind: Kind) -> f64 {
        let [flips, full, paper] = kind.presets();
        match self {
            Preset::None => 0.0,
            Preset::Flips => flips,
            Preset::Full => full,
            Preset::Paper => paper,
        }
    }
}

impl Augment {
    /// No change.
    pub const NONE: Augment = Augment { preset: Preset::None, amounts: [0.0; KINDS] };

    fn of(preset: Preset) -> Self {
        let mut amounts = [0.0; KINDS];
        for (amount, kind) in amounts.iter_mut().zip(Kind::ALL) {
            *amount = preset.amount(*kind);
        }
        Self { preset, amounts }
    }

    /// Flips and quarter turns.
    pub fn flips() -> Self {
        Self::of(Preset::Flips)
    }

    /// Everything that occurs on a belt.
    pub fn full() -> Self {
        Self::of(Preset::Full)
    }

    /// The same without a kind.
    #[must_use]
    pub fn without(mut self, kind: Kind) -> Self {
        self.amounts[kind as usize] = 0.0;
        self
    }

    /// How much of a kind.
    pub fn amount(&self, kind: Kind) -> f64 {
        self.amounts[kind as usize]
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.preset.name())?;
        for kind in Kind::ALL {
            let amount = self.amount(*kind);
            if amount != self.preset.amount(*kind) {
                write!(f, ",{}={amount}", kind.name())?;
            }
        }
        Ok(())
    }
}

impl FromStr for Augment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(',');
        let name = words.next().unwrap_or_default();
        let preset = Preset::ALL
            .into_iter()
            .find(|preset| preset.name() == name)
            .ok_or_else(|| format!("`{name}` is none of `none`, `flips`, `full` and `paper`"))?;
        let mut augment = Self::of(preset);
        for word in words {
            let (name, amount) = word
                .split_once('=')
                .ok_or_else(|| format!("`{word}` is not of the form KIND=AMOUNT, such as `motion=0`"))?;
            let kind = Kind::ALL.iter().find(|kind| kind.name() == name).ok_or_else(|| {
                let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
                format!("`{name}` is no kind of change; there are {}", names.join(", "))
            })?;
            let number = amount.parse::<f64>().ok().filter(|amount| (0.0..=MOST).contains(amount));
            let number = number.ok_or_else(|| format!("`{word}`: the amount must be 0 to {MOST}"))?;
            let share = matches!(kind, Kind::Turn | Kind::Noise) || number <= 1.0;
            if !share {
                return Err(format!("`{word}`: the amount is a share, 0 to 1"));
            }
            augment.amounts[*kind as usize] = number;
        }
        Ok(augment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_presets_are_what_their_names_say() {
        for text in ["none", "flips", "full", "paper", "full,shift=0.1,motion=0", "none,turn=180"] {
            assert_eq!(text.parse::<Augment>().unwrap().to_string(), text);
        }
        assert_eq!("full,motion=0.01".parse::<Augment>().unwrap(), Augment::full());
        assert_eq!("none".parse::<Augment>().unwrap(), Augment::NONE);
        let paper: Augment = "paper".parse().unwrap();
        assert_eq!([Kind::Turn, Kind::Zoom, Kind::Shear].map(|kind| paper.amount(kind)), [4.0, 0.2, 0.2]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, part) in [
            ("ful", "none of `none`"),
            ("full,motion", "KIND=AMOUNT"),
            ("full,wobble=1", "no kind of change; there are flip, "),
            ("full,shift=2", "a share"),
            ("full,turn=-3", "0 to 180"),
            ("full,turn=NaN", "0 to 180"),
        ] {
            let error = text.parse::<Augment>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
