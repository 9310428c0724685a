//! The jobs of `worker_process` and `producer`: render an invoice, then mail it.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io, process};

use jobq::{Context, JobError, job};

/// Where invoices are written: `$INVOICES`, or a folder for temporary files.
#[must_use]
pub fn folder() -> PathBuf {
    env::var_os("INVOICES").map_or_else(|| env::temp_dir().join("jobq-invoices"), PathBuf::from)
}

/// Writes an invoice as a text file. It may run twice, as any job may: the file is then the same.
///
/// # Errors
///
/// What the file system says.
#[job(blocking, queue = "invoices")]
pub fn render_invoice(order: u64, customer: String, items: Vec<(String, u64)>) -> io::Result<()> {
    let mut text = format!("Invoice {order}\nfor {customer}\n\n");
    for (what, cents) in &items {
        text += &format!("{what:30} {:>6}.{:02}\n", cents / 100, cents % 100);
    }
    let total: u64 = items.iter().map(|(_, cents)| cents).sum();
    text += &format!("{:30} {:>6}.{:02}\n", "total", total / 100, total % 100);
    fs::create_dir_all(folder())?;
    fs::write(folder().join(format!("{order}.txt")), text)
}

/// Mails an invoice, once it is rendered.
///
/// # Errors
///
/// A snooze, as long as there is no invoice.
#[job(
    queue = "mail",
    retries = 5,
    backoff = "linear",
    base_delay = "1s",
    timeout = "30s"
)]
pub async fn mail_invoice(ctx: Context, order: u64, email: String) -> Result<(), JobError> {
    let path = folder().join(format!("{order}.txt"));
    if !path.exists() {
        // Not a failure: the invoice is behind this job in some queue.
        return Err(JobError::snooze(Duration::from_millis(500)));
    }
    println!("[{}] mailing invoice {order}", process::id());
    // Stands in for the answer of a mail server.
    tokio::time::sleep(Duration::from_millis(150)).await;
    println!(
        "[{}] mailed invoice {order} to {email}, attempt {}",
        process::id(),
        ctx.attempt()
    );
    Ok(())
}
