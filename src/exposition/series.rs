//! The door that a family's samples go through on their way to a sink.

use super::sample::{Label, Point, Shared, Sink, Value};

/// The series of one family that have some labels in common.
pub struct Series<'a> {
    sink: &'a mut dyn Sink,
    shared: &'a Shared,
}

impl<'a> Series<'a> {
    pub(super) fn new(sink: &'a mut dyn Sink, shared: &'a Shared) -> Self {
        Self { sink, shared }
    }

    /// One without further labels.
    pub fn put(&mut self, value: Value) {
        self.put_point(Point::Value(value));
    }

    /// The same, if there is a value.
    pub fn put_opt(&mut self, value: Option<Value>) {
        if let Some(value) = value {
            self.put(value);
        }
    }

    /// One with further labels.
    pub fn put_with(&mut self, labels: &[Label<'_>], value: Value) {
        self.sink.sample(self.shared, labels, Point::Value(value));
    }

    /// A part of a histogram that has no further labels.
    pub fn put_point(&mut self, point: Point) {
        self.put_point_with(&[], point);
    }

    /// A part of a histogram that has further labels.
    pub fn put_point_with(&mut self, labels: &[Label<'_>], point: Point) {
        self.sink.sample(self.shared, labels, point);
    }
}
