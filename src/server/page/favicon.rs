//! The page's icon, in the colour of the worst state, so that a tab among many tells whether it has to be looked at.

use crate::webhook_state::Tone;

/// A disc of this colour with this path on it.
macro_rules! concat_svg {
    ($colour:literal, $path:literal) => {
        concat!(
            "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E",
            "%3Ccircle cx='16' cy='16' r='16' fill='%23",
            $colour,
            "'/%3E%3Cpath d='",
            $path,
            "' fill='none' stroke='white' stroke-width='4' stroke-linecap='round'/%3E%3C/svg%3E"
        )
    };
}

/// The icon as the address of itself: nothing has to be asked for.
pub(super) const fn favicon(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => concat_svg!("b3261e", "M16 7v11M16 22v3"),
        Tone::Doubtful => concat_svg!("b26a00", "M11 12a5 5 0 1 1 7 5q-2 1-2 3M16 23v3"),
        Tone::Idle => concat_svg!("6b7078", "M9 16h14"),
        Tone::Good => concat_svg!("1a7f47", "M9 17l5 5 9-11"),
    }
}
