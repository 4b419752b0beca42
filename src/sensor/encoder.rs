//! An encoder's edges, counted: pulses, their direction, and what is missing.
//!
//! Pure. A pulse is one period of track A, as makers of encoders count them, with or without track B.

use std::time::Duration;

use super::SensorEvent;
use crate::clock::Time;

/// Least time between two readings: at 20 m/s the belt moves 200 mm in it and at 0.5 m/s 5 mm, which the ledger interpolates; and a
/// fast encoder does not flood the ledger with thousands of readings a second. The last edge's own stamp makes each of them exact.
pub(super) const READ_EVERY: Duration = Duration::from_millis(10);

/// Edges of both tracks in one pulse.
const QUARTERS: i64 = 4;

/// A track of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// Track A.
    A,
    /// Track B, a quarter of a pulse behind A while the belt runs forwards.
    B,
}

/// Counts edges.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    /// Levels of A and B, where there is a B.
    levels: Option<(bool, bool)>,
    /// Steps so far: quarters with a B, pulses without.
    steps: i64,
    /// Edges that are missing, and not told of yet.
    missed: u32,
    /// The last edge.
    at: Time,
    /// Whether there was an edge since the last reading.
    news: bool,
    read_at: Time,
}

impl Encoder {
    /// An encoder of one track, of which every leading edge is a pulse.
    pub(super) fn of_one_track() -> Self {
        Self { levels: None, steps: 0, missed: 0, at: Time::ZERO, news: false, read_at: Time::ZERO }
    }

    /// An encoder of two tracks with these levels.
    pub(super) fn of_two_tracks(a: bool, b: bool) -> Self {
        Self { levels: Some((a, b)), ..Self::of_one_track() }
    }

    /// A track changed at `at`; `missed` changes of it before that were lost.
    pub(super) fn edge(&mut self, track: Track, on: bool, at: Time, missed: u32) {
        self.missed = self.missed.saturating_add(missed);
        match &mut self.levels {
            None => self.steps += i64::from(on),
            Some((a, b)) => {
                let level = if track == Track::A { &mut *a } else { &mut *b };
                if *level == on {
                    // The kernel tells the level that it finds: two changes that came too close are one without any.
                    if missed == 0 {
                        self.missed = self.missed.saturating_add(2);
                    }
                } else {
                    *level = on;
                    if at < self.at {
                        // From before the last edge: which of the two tracks led was taken wrongly.
                        self.missed = self.missed.saturating_add(2);
                    }
                    // Forwards A leads: it differs from B after an edge of its own, and equals it after one of B.
                    let forwards = (*a == *b) == (track == Track::B);
                    self.steps += if forwards { 1 } else { -1 };
                }
            }
        }
        self.at = self.at.max(at);
        self.news = true;
    }

    /// What is to be handed on at `until`, up to when every edge was taken in: the count at the last edge or, when there was none, that
    /// the count is the same still. Without that nobody could tell a belt that stands from a reading that is late.
    pub(super) fn reading_at(&mut self, until: Time) -> Option<SensorEvent> {
        if until < self.read_at + READ_EVERY {
            return None;
        }
        self.reading().or_else(|| {
            self.read_at = until;
            Some(SensorEvent::Encoder { at: until, count: self.count(), lost: 0 })
        })
    }

    fn edges_a_pulse(&self) -> i64 {
        if self.levels.is_some() { QUARTERS } else { 1 }
    }

    fn count(&self) -> i64 {
        self.steps.div_euclid(self.edges_a_pulse())
    }

    /// The count at the last edge; `None` when there was no edge since the last reading.
    pub(super) fn reading(&mut self) -> Option<SensorEvent> {
        if !std::mem::take(&mut self.news) {
            return None;
        }
        self.read_at = self.at;
        let lost = std::mem::take(&mut self.missed).div_ceil(self.edges_a_pulse() as u32);
        Some(SensorEvent::Encoder { at: self.at, count: self.count(), lost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(us: u64) -> Time {
        Time::from_nanos(us * 1000)
    }

    fn count(encoder: &mut Encoder) -> (i64, u32) {
        match encoder.reading() {
            Some(SensorEvent::Encoder { count, lost, .. }) => (count, lost),
            other => panic!("{other:?}"),
        }
    }

    /// Turns the encoder by so many quarters and gives the levels and edges on the way.
    fn turn(encoder: &mut Encoder, phase: &mut i64, quarters: i64, at: &mut u64) {
        for _ in 0..quarters.abs() {
            *phase += quarters.signum();
            // Forwards: 10, 11, 01, 00. An even phase ends with an edge of B when it was reached forwards.
            let (a, b) =
                [(false, false), (true, false), (true, true), (false, true)][phase.rem_euclid(4) as usize];
            let before = phase.rem_euclid(4) - quarters.signum();
            let (old_a, _) =
                [(false, false), (true, false), (true, true), (false, true)][before.rem_euclid(4) as usize];
            *at += 100;
            if a == old_a {
                encoder.edge(Track::B, b, t(*at), 0);
            } else {
                encoder.edge(Track::A, a, t(*at), 0);
            }
        }
    }

    #[test]
    fn one_track_counts_its_leading_edges() {
        let mut encoder = Encoder::of_one_track();
        for at in 1..=5 {
            encoder.edge(Track::A, true, t(at * 100), 0);
        }
        assert_eq!(encoder.reading(), Some(SensorEvent::Encoder { at: t(500), count: 5, lost: 0 }));
        encoder.edge(Track::A, true, t(900), 3);
        assert_eq!(count(&mut encoder), (6, 3), "the gap is told and not made up");
    }

    #[test]
    fn two_tracks_count_forwards_and_backwards() {
        let (mut encoder, mut phase, mut at) = (Encoder::of_two_tracks(false, false), 0, 0);
        turn(&mut encoder, &mut phase, 41, &mut at);
        assert_eq!(count(&mut encoder), (10, 0));
        turn(&mut encoder, &mut phase, -41, &mut at);
        assert_eq!(count(&mut encoder), (0, 0));
        turn(&mut encoder, &mut phase, -8, &mut at);
        assert_eq!(count(&mut encoder), (-2, 0));
    }

    #[test]
    fn a_belt_that_trembles_on_an_edge_goes_nowhere() {
        let (mut encoder, mut phase, mut at) = (Encoder::of_two_tracks(false, false), 0, 0);
        turn(&mut encoder, &mut phase, 6, &mut at);
        for _ in 0..100 {
            turn(&mut encoder, &mut phase, 1, &mut at);
            turn(&mut encoder, &mut phase, -1, &mut at);
        }
        assert_eq!(count(&mut encoder), (1, 0));
    }

    #[test]
    fn what_is_missing_is_told_in_pulses() {
        let mut encoder = Encoder::of_two_tracks(false, false);
        encoder.edge(Track::A, true, t(100), 0);
        encoder.edge(Track::B, true, t(200), 0);
        encoder.edge(Track::A, true, t(300), 0);
        assert_eq!(count(&mut encoder), (0, 1), "A cannot have become high twice");
        encoder.edge(Track::A, false, t(400), 9);
        assert_eq!(count(&mut encoder).1, 3, "nine edges are more than two pulses");
        encoder.edge(Track::B, false, t(350), 0);
        assert_eq!(count(&mut encoder).1, 1, "the order of A and B is in doubt");
    }

    #[test]
    fn a_reading_comes_after_a_while_and_without_edges_says_that_the_count_is_the_same() {
        let mut encoder = Encoder::of_one_track();
        let told = |us: u64, count: i64| Some(SensorEvent::Encoder { at: t(us), count, lost: 0 });
        encoder.edge(Track::A, true, t(1_000_000), 0);
        assert_eq!(encoder.reading_at(t(1_002_000)), told(1_000_000, 1));
        encoder.edge(Track::A, true, t(1_004_000), 0);
        assert_eq!(encoder.reading_at(t(1_009_999)), None);
        assert_eq!(encoder.reading_at(t(1_010_000)), told(1_004_000, 2));
        assert_eq!(encoder.reading_at(t(1_013_999)), None);
        assert_eq!(encoder.reading_at(t(1_014_000)), told(1_014_000, 2));
    }

    proptest::proptest! {
        #[test]
        fn however_the_belt_runs_the_count_is_its_place(turns in proptest::collection::vec(-50_i64..50, 0..40)) {
            let (mut encoder, mut phase, mut at) = (Encoder::of_two_tracks(false, false), 0, 0);
            for quarters in turns {
                turn(&mut encoder, &mut phase, quarters, &mut at);
                if let Some(SensorEvent::Encoder { count, lost, .. }) = encoder.reading() {
                    proptest::prop_assert_eq!((count, lost), (phase.div_euclid(4), 0));
                }
            }
        }
    }
}
