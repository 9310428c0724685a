//! Faults of a server, and of what is around it.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use support::{Port, Role};

use crate::fixture::*;

#[tokio::test]
async fn nothing_is_kept_on_disk() {
    let server = well_but(&[("appendonly", "no")]);
    let report = doctor(&server, &[]).await;
    let (words, cure) = ("loses all jobs", "CONFIG SET appendonly yes");
    report.found_with("durability", "error", words, cure);
}

#[tokio::test]
async fn there_are_snapshots_alone() {
    let server = well_but(&[("appendonly", "no"), ("save", "3600 1")]);
    let report = doctor(&server, &[]).await;
    report.found("durability", "warning", "all since the last snapshot");
    assert_eq!(report.code, 3);
}

#[tokio::test]
async fn the_append_only_file_is_never_synced() {
    let server = well_but(&[("appendfsync", "no")]);
    let cure = "CONFIG SET appendfsync everysec";
    let report = doctor(&server, &[]).await;
    report.found_with("durability", "warning", "appendfsync no", cure);
}

#[tokio::test]
async fn jobs_may_be_evicted() {
    let server = well_but(&[("maxmemory-policy", "volatile-lru")]);
    let cure = "CONFIG SET maxmemory-policy noeviction";
    let report = doctor(&server, &[]).await;
    report.found_with("eviction", "error", "volatile-lru", cure);
}

#[tokio::test]
async fn memory_is_nearly_full() {
    let server = well();
    // Much, beside which what a connection takes is little.
    let fill = "redis.call('SET', KEYS[1], string.rep('x', 2 ^ 25))";
    ask(&server, &["EVAL", fill, "1", "other"]).await;
    let used: u64 = info(&server, "used_memory").await.parse().unwrap();
    for (percent, level) in [(87, "warning"), (98, "error")] {
        let limit = (used * 100 / percent).to_string();
        ask(&server, &["CONFIG", "SET", "maxmemory", &limit]).await;
        let report = doctor(&server, &[]).await;
        report.found_with("memory", level, " of ", "CONFIG SET maxmemory");
    }
}

#[tokio::test]
async fn memory_has_no_limit() {
    let server = well_but(&[("maxmemory", "0")]);
    let report = doctor(&server, &[]).await;
    report.found_with("memory", "warning", "no maxmemory", "CONFIG SET maxmemory");
}

/// A server whose last snapshot failed: what should be its file is a folder.
async fn with_failed_save() -> RedisServer {
    let server = well_but(&[("save", "3600 1000")]);
    fs::create_dir(server.folder().join("dump.rdb")).unwrap();
    ask(&server, &["BGSAVE"]).await;
    eventually("the end of the save", async || {
        let status = info(&server, "rdb_last_bgsave_status").await;
        (status == "err").then_some(())
    })
    .await;
    server
}

#[tokio::test]
async fn the_last_save_failed_and_can_be_tried_again() {
    let server = with_failed_save().await;
    let report = doctor(&server, &[]).await;
    report.found_with("snapshot", "error", "failed", "BGSAVE");
    fs::remove_dir(server.folder().join("dump.rdb")).unwrap();
    let report = doctor(&server, &["--fix"]).await;
    let fixed = &report.document["fixed"][0];
    assert_eq!(
        (&fixed["id"], &fixed["done"]),
        (&"snapshot".into(), &true.into())
    );
    eventually("a save that succeeds", async || {
        let report = doctor(&server, &[]).await;
        (report.all("snapshot")[0]["level"] == "ok").then_some(())
    })
    .await;
}

/// An append-only file of commands that set one key over and over: to zeros, which take no room on
/// the disk.
fn write_large_file(path: &Path, size: u64) {
    const VALUE: u64 = 8 << 20;
    let mut file = File::create(path).unwrap();
    let mut written = 0;
    while written < size {
        let head = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${VALUE}\r\n");
        file.write_all(head.as_bytes()).unwrap();
        file.seek(SeekFrom::Current(VALUE as i64)).unwrap();
        file.write_all(b"\r\n").unwrap();
        written += head.len() as u64 + VALUE + 2;
    }
}

#[tokio::test]
async fn the_append_only_file_is_too_large_and_can_be_rewritten() {
    let mut server = well_but(&[("appendonly", "no"), ("auto-aof-rewrite-percentage", "0")]);
    server.kill();
    write_large_file(&server.folder().join("appendonly.aof"), (1 << 30) + 1);
    server.set("appendonly", "yes");
    server.restart();
    let report = doctor(&server, &[]).await;
    report.found_with("append-only-file", "warning", "1.0 GiB", "BGREWRITEAOF");
    let report = doctor(&server, &["--fix"]).await;
    assert_eq!(report.document["fixed"][0]["done"], true);
    eventually("a small file", async || {
        let report = doctor(&server, &[]).await;
        let seen = report.all("append-only-file")[0]["seen"]
            .as_str()
            .unwrap()
            .to_owned();
        (!seen.contains("GiB") && !seen.contains("rewritten")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_rewrite_is_under_way() {
    let server = well_but(&[("rdb-key-save-delay", "30000000")]);
    ask(&server, &["SET", "other", "x"]).await;
    ask(&server, &["BGREWRITEAOF"]).await;
    let report = doctor(&server, &[]).await;
    report.found("append-only-file", "ok", "it is being rewritten");
}

#[tokio::test]
async fn it_is_a_replica_without_its_primary() {
    let nobody = Port::free();
    let server = well_but(&[("replicaof", &format!("127.0.0.1 {}", nobody.number()))]);
    let report = doctor(&server, &[]).await;
    report.found_with("replication", "error", "lost its primary", "JOBQ_URL");
}

#[tokio::test]
async fn it_has_fewer_replicas_than_it_needs() {
    let server = well_but(&[("min-replicas-to-write", "1")]);
    let report = doctor(&server, &[]).await;
    report.found("replication", "error", "0 of 1 replicas");
}

#[tokio::test]
async fn a_right_is_missing() {
    let server = well();
    let user = Role::Operator.user();
    ask(&server, &["ACL", "SETUSER", user, "-lrange"]).await;
    let url = Role::Operator.log_in(&server.url());
    let report = doctor_at(&url, &[]).await;
    let cure = "ACL SETUSER jobq-operator +lrange";
    report.found_with("rights", "error", "LRANGE jobq:{default}:ready", cure);
    let report = doctor_at(&url, &["--role", "producer,worker"]).await;
    let found = report.all("rights");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[1]["seen"].as_str().unwrap().contains("BLMOVE"),
        "{found:?}"
    );
    // An operator that lacks a right is no worker that lacks many.
    let cure = found[1]["cure"].as_str().unwrap();
    assert!(cure.starts_with("log in as a worker"), "{cure}");
    // Given back, as the cure says.
    ask(&server, &["ACL", "SETUSER", user, "+lrange"]).await;
    doctor_at(&url, &[]).await.found("rights", "ok", user);
}

#[tokio::test]
async fn a_key_is_missing() {
    let server = well();
    let (user, rules) = (Role::Operator.user(), Role::Operator.rules("jobq"));
    let fewer = rules
        .iter()
        .map(String::as_str)
        .filter(|rule| *rule != "~jobq:{*}:dead");
    let fewer: Vec<&str> = ["ACL", "SETUSER", user].into_iter().chain(fewer).collect();
    ask(&server, &fewer).await;
    let url = Role::Operator.log_in(&server.url());
    let report = doctor_at(&url, &[]).await;
    let cure = "ACL SETUSER jobq-operator '~jobq:{*}:dead'";
    report.found_with("rights", "error", "LLEN jobq:{default}:dead", cure);
    ask(&server, &["ACL", "SETUSER", user, "~jobq:{*}:dead"]).await;
    doctor_at(&url, &[]).await.found("rights", "ok", user);
}

#[tokio::test]
async fn the_login_of_another_role_is_told_to_log_in_and_not_widened() {
    let server = well();
    let url = Role::Worker.log_in(&server.url());
    let report = doctor_at(&url, &[]).await;
    let words = "may not do the work of a jobq operator, but that of a worker";
    report.found_with(
        "rights",
        "error",
        words,
        "log in as an operator, such as jobq-operator",
    );
    let url = Role::Producer.log_in(&server.url());
    let report = doctor_at(&url, &["--role", "worker"]).await;
    let words = "may not ask what it may do, as a worker does";
    report.found_with(
        "rights",
        "error",
        words,
        "log in as a worker, such as jobq-worker",
    );
}

/// The library that shows a process another time.
fn faketime() -> PathBuf {
    let given = std::env::var_os("LIBFAKETIME").map(PathBuf::from);
    let found = given.or_else(|| {
        let folders = fs::read_dir("/usr/lib").ok()?;
        let mut paths =
            folders.map(|folder| folder.unwrap().path().join("faketime/libfaketime.so.1"));
        paths.find(|path| path.exists())
    });
    found.expect("no libfaketime: `apt-get install libfaketime`, or set LIBFAKETIME to its path")
}

#[tokio::test]
async fn the_clocks_differ() {
    let server = well();
    for (offset, level, words) in [
        ("-10s", "warning", "Redis is ahead of this machine by"),
        ("+10m", "error", "Redis is behind this machine by"),
    ] {
        let mut command = command(&["--json", "--url", &server.url(), "doctor"]);
        command
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME", offset);
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command.env("DONT_FAKE_MONOTONIC", "1");
        let report = doctor_by(command).await;
        report.found_with("clock", level, words, "timedatectl");
    }
}

#[tokio::test]
async fn lists_are_laid_out_oddly() {
    for (option, value, words) in [
        ("list-compress-depth", "1", "list-compress-depth is 1"),
        ("list-max-listpack-size", "4", "holds 4 jobs"),
        ("list-max-listpack-size", "-5", "copies up to 64 KiB"),
    ] {
        let server = well_but(&[(option, value)]);
        let report = doctor(&server, &[]).await;
        report.found_with("list-encoding", "warning", words, option);
    }
}

#[tokio::test]
async fn almost_all_connections_are_taken() {
    let server = well_but(&[("maxclients", "10")]);
    let mut taken = Vec::new();
    for _ in 0..7 {
        taken.push(support::beside(&server.url()).await.unwrap());
    }
    let report = doctor(&server, &[]).await;
    report.found_with("clients", "warning", "8 of 10", "CONFIG SET maxclients 20");
    for _ in 7..9 {
        taken.push(support::beside(&server.url()).await.unwrap());
    }
    doctor(&server, &[])
        .await
        .found("clients", "error", "10 of 10");
    drop(taken);
}

#[tokio::test]
async fn idle_connections_are_cut() {
    let server = well_but(&[("timeout", "30")]);
    let report = doctor(&server, &[]).await;
    report.found_with(
        "idle-connections",
        "warning",
        "idle for 30 s",
        "CONFIG SET timeout 0",
    );
}

#[tokio::test]
async fn a_call_was_slow() {
    let server = well();
    ask(&server, &["DEBUG", "SLEEP", "0.05"]).await;
    let report = doctor(&server, &[]).await;
    report.found_with("slow-calls", "warning", "DEBUG", "SLOWLOG GET");
}
