"""What is sent: transactions, scenarios and labels, settled before anything is sent."""
