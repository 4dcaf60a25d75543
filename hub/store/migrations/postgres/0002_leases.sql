-- Who does something that only one process may do, and which processes are alive: until when, on this server's clock.
CREATE TABLE leases (
  name   text COLLATE "C" PRIMARY KEY,
  holder text COLLATE "C" NOT NULL,
  until  float8 NOT NULL
);
