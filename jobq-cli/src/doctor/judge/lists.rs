//! How the server lays out lists, in which ready jobs lie.

use jobq::broker::Settings;

use crate::doctor::finding::{Cure, Finding, Subject};

const LISTS: Subject = Subject {
    id: "list-encoding",
    why: "a list is a chain of nodes of many jobs each: small nodes double the memory of a job, \
          large ones make each push copy more, and compressed ones are packed and unpacked where \
          jobs are looked at",
};

/// What Redis has unless told otherwise, and jobq was measured with: nodes of 8 KiB.
const USUAL_SIZE: &str = "CONFIG SET list-max-listpack-size -2";

/// Fewer jobs than this in a node cost as much for the node as for themselves.
const FEW: i64 = 32;

pub(super) fn judge(settings: Option<&Settings>) -> Finding {
    let layout = settings.and_then(|s| Some((s.list_node_size?, s.list_compress_depth?)));
    let Some((size, depth)) = layout else {
        let what = "list-max-listpack-size and list-compress-depth";
        return LISTS.unknown(what, super::TELL_CONFIG);
    };
    if depth > 0 {
        return LISTS.warning(
            format!("list-compress-depth is {depth}: all nodes but {depth} at each end are packed"),
            Cure::redis("CONFIG SET list-compress-depth 0"),
        );
    }
    match size {
        i64::MIN..=-3 => LISTS.warning(
            format!(
                "list-max-listpack-size is {size}: each push copies up to {} KiB",
                4 << (-size - 1).min(4)
            ),
            Cure::redis(USUAL_SIZE),
        ),
        0..FEW => LISTS.warning(
            format!(
                "list-max-listpack-size is {size}: a node holds {} jobs at the most",
                size.max(1)
            ),
            Cure::redis(USUAL_SIZE),
        ),
        _ => LISTS.ok(format!(
            "list-max-listpack-size is {size}, and nothing is compressed"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level::{Ok, Unknown, Warning};

    #[test]
    fn nodes_are_of_the_usual_size_and_not_compressed() {
        assert_eq!(judge(None).level, Unknown);
        for (size, depth, level) in [
            (None, Some(0), Unknown),
            (Some(-2), None, Unknown),
            (Some(-1), Some(0), Ok),
            (Some(-2), Some(0), Ok),
            (Some(128), Some(0), Ok),
            (Some(-2), Some(1), Warning),
            (Some(-5), Some(0), Warning),
            (Some(i64::MIN + 1), Some(0), Warning),
            (Some(0), Some(0), Warning),
            (Some(31), Some(0), Warning),
        ] {
            let settings = Settings {
                list_node_size: size,
                list_compress_depth: depth,
                ..Settings::default()
            };
            assert_eq!(judge(Some(&settings)).level, level, "{settings:?}");
        }
    }
}
