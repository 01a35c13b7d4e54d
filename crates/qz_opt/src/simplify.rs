//! Clean-up of bodies: what is known is written down, what has no effect goes.
//!
//! * [`values`]: constants and copies of locals that are defined once are used directly; what then nobody
//!   reads is not computed. Before count placement only.
//! * [`signs`]: integers that are never negative, for `values`.
//! * [`blocks`]: blocks that only lead elsewhere are skipped, blocks that always follow one another become
//!   one. At any time.
//! * [`locals`]: what nobody mentions is left out.
//! * [`pairs`]: a count that is added and given up again with nothing in between that could tell. After
//!   count placement.
//! * [`takes`]: what is read out of an object and then stored over is taken, without counts. After count placement.
//!
//! Each is linear in the size of the body, so all of it runs on everything.

pub(crate) mod blocks;
pub(crate) mod locals;
pub(crate) mod pairs;
mod signs;
mod takes;
pub(crate) mod values;

use qz_mir::Body;
use qz_mir::layout::Layouts;

use crate::drops::Drops;

/// Cleans a body whose counts are not placed yet.
pub(crate) fn simplify(body: &mut Body, layouts: &Layouts, drops: &Drops) {
    values::propagate(body, layouts, drops);
    values::remove_dead(body, drops);
    blocks::tidy(body, false);
    locals::compact(body);
}

/// Cleans a body with counts.
pub(crate) fn simplify_counted(body: &mut Body) {
    takes::take_overwritten(body);
    pairs::cancel(body);
    blocks::tidy(body, true);
}
