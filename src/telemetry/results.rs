//! How what the exporter does can end, as the values of the label `result`.

use delivery_ledger::label_set;

label_set! {
    /// How writing the checkpoint ended.
    WriteResult {
        /// It is durable.
        Ok = "ok",
        /// It is not, or that can't be said.
        Error = "error",
    }
}

label_set! {
    /// How reading a changed web configuration ended.
    ReloadResult {
        /// It is in force.
        Ok = "ok",
        /// It cannot be used, and the one before stays in force.
        Error = "error",
    }
}
