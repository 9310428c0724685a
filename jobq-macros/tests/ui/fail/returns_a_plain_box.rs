use std::error::Error;

use jobq::job;

#[job]
async fn send() -> Result<(), Box<dyn Error>> {
    Ok(())
}

fn main() {}
