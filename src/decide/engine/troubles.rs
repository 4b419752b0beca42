//! What went wrong on the line, counted.

use serde::Serialize;

/// Counts of what went wrong without costing a part its number. Summaries carry them under these names, see `docs/json.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Troubles {
    /// Answers of the model that came after their part's deadline; none of them acted on any part.
    pub late_answers: u64,
    /// Parts that the camera saw and no trigger announced.
    pub missed_triggers: u64,
    /// Triggers of which healthy frames showed that no part was there.
    pub surplus_triggers: u64,
    /// Edges of the sensor that were taken for bounce.
    pub bounces: u64,
    /// How often the belt's position was lost.
    pub position_losses: u64,
    /// Stretches of belt that no frame showed.
    pub gaps: u64,
    /// Edges of the confirm sensor that belong to no part in the ledger.
    pub unexpected_confirms: u64,
    /// Steps that the table of states does not allow: always 0.
    #[serde(skip)]
    pub illegal_steps: u64,
}
