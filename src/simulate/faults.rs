//! Faults that are injected: what goes wrong, when, for how long, and how much.
//!
//! Pure: the same seed gives the same faults. Must not know how a device shows a fault.

use rand::RngExt;
use rand_pcg::Pcg64;

use crate::config::{Config, PositionSource, Trigger};

/// Declares the kinds of fault: name, whether it lasts (seconds, from and to) and its amount (from, to).
macro_rules! faults {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $lasts:expr, $amount:expr;)+) => {
        /// What can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $kind,)+
        }

        impl Fault {
            /// Every kind.
            pub const ALL: &[Fault] = &[$(Fault::$kind,)+];

            /// The name in `--faults` and in scenarios.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Fault::$kind => $name,)+
                }
            }

            /// Least and greatest length in seconds, least and greatest amount.
            const fn ranges(self) -> ((f64, f64), (f64, f64)) {
                match self {
                    $(Fault::$kind => ($lasts, $amount),)+
                }
            }
        }
    };
}

faults! {
    /// Frames are lost on their way.
    FrameDropped = "frame_dropped", (0.05, 0.4), (0.0, 0.0);
    /// Frames arrive late by so many seconds.
    FrameLate = "frame_late", (0.1, 1.0), (0.06, 0.6);
    /// A frame comes twice.
    FrameDuplicated = "frame_duplicated", (0.05, 0.3), (0.0, 0.0);
    /// The camera shows an old picture with new stamps.
    CameraFrozen = "camera_frozen", (0.1, 2.0), (0.0, 0.0);
    /// Frames are of one grey, noise, half black, black, white or blurred, by their amount.
    FrameCorrupt = "frame_corrupt", (0.05, 0.8), (0.0, 6.0);
    /// The camera delivers nothing.
    CameraLost = "camera_lost", (0.1, 3.0), (0.0, 0.0);
    /// The camera's clock is off by so many seconds.
    ClockStep = "clock_step", (0.2, 4.0), (-0.5, 0.5);
    /// The model takes so many seconds for a frame.
    ModelSlow = "model_slow", (0.2, 3.0), (0.08, 0.9);
    /// The model takes until the end of the fault.
    ModelHangs = "model_hangs", (0.5, 4.0), (0.0, 0.0);
    /// The model answers with what is no number.
    ModelNan = "model_nan", (0.05, 1.0), (0.0, 0.0);
    /// More frames than the queue holds.
    QueueOverflow = "queue_overflow", (1.0, 4.0), (0.2, 0.4);
    /// The sensor's edges bounce.
    SensorBounce = "sensor_bounce", (0.2, 3.0), (0.001, 0.007);
    /// The sensor misses parts.
    SensorMissed = "sensor_missed", (0.2, 1.2), (0.0, 0.0);
    /// The sensor sees parts that are not there.
    SensorGhost = "sensor_ghost", (0.2, 1.0), (0.0, 0.0);
    /// The sensor stays on.
    SensorStuck = "sensor_stuck", (0.8, 3.0), (0.0, 0.0);
    /// The encoder counts this share of the belt's movement.
    EncoderSlip = "encoder_slip", (0.1, 1.5), (0.5, 0.95);
    /// The encoder counts nothing.
    EncoderSilent = "encoder_silent", (0.05, 2.0), (0.0, 0.0);
    /// The encoder's count jumps by so many pulses.
    EncoderJump = "encoder_jump", (0.05, 0.1), (-400.0, 400.0);
    /// The kernel loses so many of the encoder's events.
    EventsLost = "events_lost", (0.05, 0.1), (1.0, 80.0);
    /// The gate stays in pass.
    GateStuck = "gate_stuck", (0.5, 4.0), (0.0, 0.0);
    /// The gate stays in reject.
    GateStuckReject = "gate_stuck_reject", (0.5, 4.0), (0.0, 0.0);
    /// The gate takes so many seconds more.
    GateSlow = "gate_slow", (0.5, 4.0), (0.02, 0.25);
    /// The confirm sensor sees nothing.
    ConfirmBlind = "confirm_blind", (0.5, 4.0), (0.0, 0.0);
    /// The bin is full.
    BinFull = "bin_full", (0.5, 4.0), (0.0, 0.0);
    /// The air pressure is low.
    AirLow = "air_low", (0.5, 4.0), (0.0, 0.0);
    /// Inspection is suspended.
    Inhibit = "inhibit", (0.5, 4.0), (0.0, 0.0);
    /// The belt brakes, stands and runs up again, with ramps of so many seconds.
    BeltStop = "belt_stop", (0.2, 4.0), (0.02, 0.8);
    /// Parts lie closer than they may.
    PartsClose = "parts_close", (0.2, 1.0), (0.0, 0.0);
    /// A part is so many times as long as it should be.
    PartLong = "part_long", (0.1, 0.6), (1.4, 2.6);
    /// The broker is away.
    BrokerLost = "broker_lost", (1.0, 20.0), (0.0, 0.0);
    /// The process dies and is started again.
    Restart = "restart", (0.3, 3.0), (0.0, 0.0);
}

/// Pairs that no sensor of the line can tell from a healthy one: a gate that does not move while nobody knows what passes it.
const BLIND: &[(Fault, Fault)] = &[
    (Fault::GateStuck, Fault::Restart),
    (Fault::GateStuck, Fault::SensorMissed),
    (Fault::GateStuck, Fault::SensorStuck),
    (Fault::GateSlow, Fault::Restart),
    (Fault::GateSlow, Fault::SensorMissed),
    (Fault::GateSlow, Fault::SensorStuck),
];
/// So long before and after one of a pair the other one does not come, in seconds: the way from sensor to confirm sensor and more.
const APART_S: f64 = 8.0;

impl Fault {
    /// The kind of a name.
    pub fn named(name: &str) -> Option<Fault> {
        Fault::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    fn is_blind_with(self, other: Fault) -> bool {
        BLIND.contains(&(self, other)) || BLIND.contains(&(other, self))
    }
}

/// One fault from its beginning to its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// What goes wrong.
    pub fault: Fault,
    /// When it begins, in seconds of the shift.
    pub from: f64,
    /// How long it lasts, in seconds.
    pub lasts: f64,
    /// How much, see [`Fault`].
    pub amount: f64,
}

impl Episode {
    /// When it ends.
    pub fn until(&self) -> f64 {
        self.from + self.lasts
    }
}

/// What goes wrong in a shift, by kind and in the order of time.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    kinds: Vec<Vec<Episode>>,
}

impl Faults {
    /// These episodes.
    pub fn new(mut episodes: Vec<Episode>) -> Self {
        episodes.sort_by(|a, b| a.from.total_cmp(&b.from));
        let mut kinds = vec![Vec::new(); Fault::ALL.len()];
        for episode in episodes {
            kinds[episode.fault as usize].push(episode);
        }
        Self { kinds }
    }

    /// Random episodes of the chosen kinds over `seconds`, each kind about once in `every` seconds.
    pub fn random(seed: u64, seconds: f64, every: f64, chosen: &[Fault]) -> Self {
        let mut random = Pcg64::new(u128::from(seed), 0xfa17);
        let mut draw = |(low, high): (f64, f64)| low + (high - low) * random.random::<f64>();
        let mut episodes: Vec<Episode> = Vec::new();
        for &fault in chosen {
            let (lasts, amount) = fault.ranges();
            let mut at = draw((0.0, every));
            while at < seconds {
                let episode = Episode { fault, from: at, lasts: draw(lasts), amount: draw(amount) };
                let blind = |other: &Episode| {
                    fault.is_blind_with(other.fault)
                        && episode.from < other.until() + APART_S
                        && other.from < episode.until() + APART_S
                };
                if !episodes.iter().rev().any(blind) {
                    episodes.push(episode);
                }
                at = episode.until() + draw((0.0, 2.0 * every));
            }
        }
        Self::new(episodes)
    }

    /// The episode of a kind at a moment.
    pub fn at(&self, fault: Fault, at: f64) -> Option<&Episode> {
        let kind = self.kinds.get(fault as usize)?;
        let next = kind.partition_point(|episode| episode.from <= at);
        kind[..next].last().filter(|episode| at < episode.until())
    }

    /// All episodes of a kind.
    pub fn of(&self, fault: Fault) -> &[Episode] {
        self.kinds.get(fault as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a fault of one of these kinds was there at a time from `from` to `until`.
    pub fn within(&self, faults: &[Fault], from: f64, until: f64) -> bool {
        faults.iter().any(|fault| {
            let kind = self.of(*fault);
            let next = kind.partition_point(|episode| episode.from <= until);
            // Episodes of a kind do not overlap, so the last ones end last.
            kind[..next].last().is_some_and(|episode| episode.until() >= from)
        })
    }

    /// How many of each kind begin before a moment, in seconds.
    pub fn count(&self, until: f64) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let begun = move |fault: Fault| self.of(fault).partition_point(|episode| episode.from < until);
        Fault::ALL.iter().map(move |fault| (fault.name(), begun(*fault) as u64))
    }
}

/// The faults that nothing on a line of this configuration can notice, and why: no promise covers them.
pub fn unnoticed(config: &Config) -> Vec<(Fault, &'static str)> {
    let mut faults = Vec::new();
    if config.position_source() != PositionSource::Encoder && config.inputs.running.is_none() {
        faults.push((Fault::BeltStop, "without an encoder nothing tells of it: wire inputs.running"));
    }
    if config.decide.trigger == Trigger::Vision {
        let why = "a part that no picture showed is known to nobody, and nobody waits for its removal: use a part-present sensor";
        faults.extend([(Fault::GateStuck, why), (Fault::GateSlow, why)]);
    }
    faults
}

/// Reads `all`, `none` or names with commas between them.
///
/// # Errors
/// The name that is no fault.
pub fn chosen(text: &str) -> Result<Vec<Fault>, String> {
    match text {
        "all" => Ok(Fault::ALL.to_vec()),
        "none" => Ok(Vec::new()),
        names => {
            names.split(',').map(|name| Fault::named(name.trim()).ok_or_else(|| name.to_owned())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_faults_and_every_kind_comes() {
        let (a, b) =
            (Faults::random(7, 5000.0, 200.0, Fault::ALL), Faults::random(7, 5000.0, 200.0, Fault::ALL));
        assert_eq!(a.kinds, b.kinds);
        assert!(a.count(f64::MAX).all(|(_, count)| count > 0), "{:?}", a.count(f64::MAX).collect::<Vec<_>>());
        for stuck in a.of(Fault::GateStuck) {
            assert!(!a.within(&[Fault::Restart, Fault::SensorMissed], stuck.from - 7.9, stuck.until() + 7.9));
        }
    }

    #[test]
    fn an_episode_is_found_while_it_lasts() {
        let episode = Episode { fault: Fault::CameraLost, from: 2.0, lasts: 0.8, amount: 0.0 };
        let faults = Faults::new(vec![episode]);
        let there = [1.9, 2.0, 2.79, 2.8].map(|at| faults.at(Fault::CameraLost, at).is_some());
        assert_eq!(there, [false, true, true, false]);
        assert!(
            faults.within(&[Fault::CameraLost], 2.5, 9.0) && !faults.within(&[Fault::CameraLost], 2.9, 9.0)
        );
    }

    #[test]
    fn faults_are_chosen_by_name() {
        assert_eq!(chosen("camera_lost, gate_stuck"), Ok(vec![Fault::CameraLost, Fault::GateStuck]));
        assert_eq!(chosen("camera_lots"), Err("camera_lots".to_owned()));
        assert_eq!(chosen("all").unwrap().len(), Fault::ALL.len());
    }
}
