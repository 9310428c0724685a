use jobq::job;

#[job(retries = 5)]
pub async fn send_welcome(user_id: u64, email: String) -> std::io::Result<()> {
    println!("welcome, user {user_id}, at {email}");
    Ok(())
}
