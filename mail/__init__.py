"""Letters: composing from template and facts, sending one by SMTP, recording what left."""
