//! What each role does with a server, command by command, as `docs/operations/users.acl` grants it.

use super::super::keys::{self, QueueKeys};
use crate::broker::Role;
use crate::id::WorkerId;

/// The commands of a role on a queue, each with the key that it is for and whatever else it needs
/// to be one. Left out are those that a role is only the better for, and those of connecting.
pub(super) fn needed(role: Role, namespace: &str, keys: &QueueKeys) -> Vec<Vec<String>> {
    let mut needed = Needed(Vec::new());
    match role {
        Role::Producer => produce(&mut needed, keys),
        Role::Worker => work(&mut needed, keys),
        Role::Operator => {
            look(&mut needed, namespace, keys);
            intervene(&mut needed, namespace, keys);
            examine(&mut needed, keys);
        }
    }
    needed.0
}

struct Needed(Vec<Vec<String>>);

impl Needed {
    fn need(&mut self, words: &[&str]) {
        self.0.push(words.iter().map(|&word| word.into()).collect());
    }

    /// Calls of scripts that use each of these keys, which takes more than what they do with it.
    fn scripts(&mut self, calls: &[&str], keys: &[&String]) {
        self.each(calls, &["", "0"]);
        for key in keys {
            self.need(&[calls[0], "", "1", key]);
        }
    }

    /// Commands that take the same after their names.
    fn each(&mut self, commands: &[&str], words: &[&str]) {
        for command in commands {
            self.need(&[&[*command], words].concat());
        }
    }
}

/// One that there never was.
fn nobody() -> WorkerId {
    WorkerId::from_stored("nobody")
}

fn produce(rights: &mut Needed, keys: &QueueKeys) {
    rights.need(&["LPUSH", &keys.ready(), ""]);
    rights.need(&["ZADD", &keys.delayed(), "0", ""]);
    rights.need(&["ZCOUNT", &keys.delayed(), "0", "0"]);
    rights.need(&["TIME"]);
    rights.scripts(&["EVALSHA", "EVAL"], &[&keys.delayed()]);
}

fn work(rights: &mut Needed, keys: &QueueKeys) {
    let (ready, delayed, dead) = (&keys.ready(), &keys.delayed(), &keys.dead());
    let (suspects, cancelled, meta) = (&keys.suspects(), &keys.cancelled(), &keys.meta());
    let (workers, timekeeper) = (&keys.workers(), &keys.timekeeper());
    let (in_flight, handoff) = (&keys.in_flight(&nobody()), &keys.handoff(&nobody()));
    rights.need(&["BLMOVE", ready, handoff, "RIGHT", "LEFT", "1"]);
    rights.need(&["LMOVE", handoff, ready, "LEFT", "RIGHT"]);
    for list in [ready, suspects, dead] {
        rights.need(&["LPUSH", list, ""]);
    }
    for list in [ready, handoff, suspects, dead] {
        rights.each(&["RPOP", "LLEN"], &[list]);
    }
    rights.need(&["RPUSH", ready, ""]);
    rights.need(&["LINDEX", dead, "-1"]);
    rights.need(&["ZADD", delayed, "0", ""]);
    rights.need(&["ZREM", delayed, ""]);
    rights.each(&["ZRANGE", "ZRANGEBYSCORE", "ZCOUNT"], &[delayed, "0", "0"]);
    rights.need(&["ZCARD", cancelled]);
    rights.need(&["ZMSCORE", cancelled, ""]);
    for hash in [in_flight, workers, meta] {
        rights.need(&["HSET", hash, "", ""]);
        rights.each(&["HDEL", "HGET"], &[hash, ""]);
        rights.need(&["HLEN", hash]);
    }
    rights.need(&["HKEYS", in_flight]);
    rights.need(&["HGETALL", workers]);
    rights.need(&["HRANDFIELD", in_flight, "1"]);
    rights.need(&["HEXISTS", meta, ""]);
    rights.need(&["SET", timekeeper, ""]);
    rights.each(&["GET", "DEL"], &[timekeeper]);
    rights.need(&["SCAN", "0"]);
    rights.need(&["TIME"]);
    rights.need(&["CLIENT", "UNBLOCK", "1"]);
    let of_queue = [ready, delayed, dead, suspects, cancelled, meta];
    let of_workers = [workers, timekeeper, in_flight, handoff, &keys.reports()];
    rights.scripts(&["EVALSHA", "EVAL"], &[&of_queue[..], &of_workers].concat());
}

fn look(rights: &mut Needed, namespace: &str, keys: &QueueKeys) {
    let (queues, registry) = (&keys::queues(namespace), &keys::registry(namespace));
    rights.need(&["HSCAN", registry, "0"]);
    rights.need(&["HGET", registry, ""]);
    rights.need(&["HGETALL", &keys.totals()]);
    let (delayed, in_flight) = (&keys.delayed(), &keys.in_flight(&nobody()));
    rights.need(&["SSCAN", queues, "0"]);
    rights.each(&["HGETALL", "HKEYS"], &[&keys.workers()]);
    for list in [
        keys.ready(),
        keys.suspects(),
        keys.dead(),
        keys.handoff(&nobody()),
    ] {
        rights.need(&["LLEN", &list]);
    }
    for list in [keys.ready(), keys.suspects()] {
        rights.need(&["LINDEX", &list, "-1"]);
    }
    for list in [keys.ready(), keys.suspects(), keys.dead()] {
        rights.need(&["LRANGE", &list, "0", "0"]);
    }
    rights.need(&["ZCARD", delayed]);
    rights.need(&["ZRANGE", delayed, "0", "0"]);
    rights.need(&["ZSCAN", delayed, "0"]);
    rights.need(&["HEXISTS", &keys.meta(), ""]);
    rights.each(&["HLEN", "HKEYS"], &[in_flight]);
    rights.need(&["HMGET", in_flight, ""]);
    rights.need(&["HSCAN", in_flight, "0"]);
    let (workers, handoff) = (&keys.workers(), &keys.handoff(&nobody()));
    rights.scripts(&["EVALSHA_RO", "EVAL_RO"], &[workers, in_flight, handoff]);
}

fn intervene(rights: &mut Needed, namespace: &str, keys: &QueueKeys) {
    let order = &keys::order(namespace, &nobody());
    rights.need(&["GET", order]);
    rights.need(&["SET", order, ""]);
    rights.need(&["SADD", &keys::queues(namespace), ""]);
    for list in [keys.ready(), keys.suspects()] {
        rights.need(&["LINDEX", &list, "0"]);
        rights.need(&["LSET", &list, "0", ""]);
        rights.need(&["LREM", &list, "1", ""]);
        rights.need(&["LPOP", &list]);
    }
    rights.need(&["ZADD", &keys.delayed(), "0", ""]);
    rights.need(&["ZCOUNT", &keys.delayed(), "0", "0"]);
    let (ready, dead, meta) = (&keys.ready(), &keys.dead(), &keys.meta());
    let (delayed, cancelled) = (&keys.delayed(), &keys.cancelled());
    rights.need(&["HSET", meta, "", ""]);
    rights.each(&["HDEL", "HGET"], &[meta, ""]);
    rights.need(&["ZADD", cancelled, "0", ""]);
    rights.need(&["ZMSCORE", cancelled, ""]);
    rights.each(
        &["ZCOUNT", "ZRANGE", "ZREMRANGEBYRANK"],
        &[cancelled, "0", "0"],
    );
    rights.need(&["ZCARD", cancelled]);
    rights.need(&["PEXPIREAT", cancelled, "1"]);
    rights.need(&["LREM", dead, "1", ""]);
    rights.each(&["LPUSH", "RPUSH"], &[ready, ""]);
    for set in [delayed, cancelled] {
        rights.need(&["ZREM", set, ""]);
    }
    let suspects = &keys.suspects();
    for key in [ready, suspects, delayed, dead] {
        rights.need(&["UNLINK", key]);
    }
    rights.need(&["TIME"]);
    let all = [ready, suspects, delayed, dead, meta, cancelled, order];
    rights.scripts(&["EVALSHA", "EVAL"], &all);
}

fn examine(rights: &mut Needed, keys: &QueueKeys) {
    rights.need(&["INFO"]);
    rights.need(&["SCAN", "0"]);
    for (key, _) in keys.fixed() {
        rights.need(&["TYPE", &key]);
        rights.need(&["OBJECT", "ENCODING", &key]);
        rights.need(&["MEMORY", "USAGE", &key]);
    }
}
