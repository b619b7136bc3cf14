//! The languages that the pages speak.

use super::english::English;
use super::spanish::Spanish;
use super::vocabulary::Words;

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// What is spoken to who asks for none of these.
    #[default]
    English,
    /// As an SRE in Latin America writes it.
    Spanish,
}

impl Language {
    /// All of them; the default first.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its tag. Source: BCP 47.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// What is said in it.
    pub(crate) const fn words(self) -> &'static dyn Words {
        match self {
            Self::English => &English,
            Self::Spanish => &Spanish,
        }
    }
}
