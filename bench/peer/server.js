// The equal-work peer: Express and axios, and the same three durable transactions into our tables.
// `candidates.peer` starts it in the environment of a service of its own; TEMPLATE is the path of a
// JSON file with the columns of a real creation and of its events.
'use strict';
const cluster = require('node:cluster');
const crypto = require('node:crypto');
const fs = require('node:fs');

const PROCESSES = Number(process.env.WEB_CONCURRENCY);
const PLATFORM = process.env.GENESYS_BASE_URL;
const GUESTS = `${PLATFORM}/api/v2/webchat/v1/guests`;
const SQLITE = process.env.DATABASE_URL.startsWith('sqlite:///');
const { creation: CREATION, events: EVENTS } = JSON.parse(fs.readFileSync(process.env.TEMPLATE));

const mark = (number) => (SQLITE ? '?' : `$${number}`);
const insert = (table, columns) => {
  const names = Object.keys(columns);
  const marks = names.map((_, index) => mark(index + 1));
  return `INSERT INTO ${table} (${names}) VALUES (${marks})`;
};
const update = (status, column, leaving) =>
  `UPDATE provisioning_guestcreation SET status = '${status}', updated_at = ${mark(1)},
   ${column} = ${mark(2)} WHERE id = ${mark(3)} AND status = '${leaving}'`;
const LOOK_UP = `SELECT email, first_name, tier, previous_tickets, attributes
  FROM crm_crmrecord WHERE session_hash = ${mark(1)}`;
const OPEN = insert('provisioning_guestcreation', CREATION);
const RECORD = insert('audit_auditevent', EVENTS['init.attempted']);
const CREATED = update('guest_created', 'guest_id', 'pending');
const READY = update('ready', 'token_expires_at', 'guest_created');

const id = () => crypto.randomUUID().replaceAll('-', '');
const now = () => new Date().toISOString().replace('T', ' ').replace('Z', '');
const event = (kind) => {
  const fresh = { id: id(), time: now() };
  const body = JSON.stringify({ ...JSON.parse(EVENTS[kind].body), ...fresh });
  return Object.values({ ...EVENTS[kind], ...fresh, body });
};

function sqlite() {
  const Database = require('better-sqlite3');
  const database = new Database(process.env.DATABASE_URL.slice('sqlite:///'.length));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  const prepared = Object.fromEntries(
    [LOOK_UP, OPEN, RECORD, CREATED, READY].map((text) => [text, database.prepare(text)]),
  );
  const both = database.transaction((change, values, record) => {
    if (prepared[change].run(...values).changes !== 1) throw new Error('lost');
    prepared[RECORD].run(...record);
  });
  return {
    lookUp: async (hash) => prepared[LOOK_UP].get(hash),
    commit: async (change, values, kind) => both.immediate(change, values, event(kind)),
  };
}

function postgresql() {
  const { Pool } = require('pg');
  const max = Math.floor(20 / PROCESSES);
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max });
  return {
    lookUp: async (hash) => (await pool.query(LOOK_UP, [hash])).rows[0],
    commit: async (change, values, kind) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        if ((await client.query(change, values)).rowCount !== 1) throw new Error('lost');
        await client.query(RECORD, event(kind));
        await client.query('COMMIT');
      } finally {
        client.release();
      }
    },
  };
}

function serve() {
  const axios = require('axios');
  const express = require('express');
  const store = SQLITE ? sqlite() : postgresql();
  let token = null;

  async function bearer() {
    const form = 'grant_type=client_credentials&client_id=a&client_secret=b';
    token ??= axios.post(`${PLATFORM}/oauth/token`, form);
    return `Bearer ${(await token).data.access_token}`;
  }
  async function post(url, body) {
    return (await axios.post(url, body, { headers: { Authorization: await bearer() } })).data;
  }

  const app = express();
  app.use(express.json());
  app.post('/api/webchat/init', async (request, response) => {
    const { sessionId, consentGiven, consentType } = request.body;
    if (!sessionId) {
      response.status(400).json({ error: 'sessionId is missing' });
      return;
    }
    const hash = crypto.createHash('sha256').update(sessionId).digest('hex');
    await store.lookUp(hash);
    const email = `visitor_${hash.slice(0, 8)}@temp.com`;
    const crm = { email, firstName: 'Guest', tier: 'Unknown', previousTickets: 0 };
    const creation = id();
    const time = now();
    const fresh = { id: creation, created_at: time, updated_at: time, session_hash: hash };
    await store.commit(OPEN, Object.values({ ...CREATION, ...fresh }), 'init.attempted');
    const guest = await post(GUESTS, {
      name: crm.firstName,
      email,
      consentGiven: consentGiven ?? true,
      consentType: consentType ?? 'explicit',
      attributes: { crmTier: crm.tier, historicalTickets: 0, integrationSource: 'b' },
    });
    await store.commit(CREATED, [now(), guest.id, creation], 'guest.created');
    const answer = await post(`${GUESTS}/${guest.id}/tokens`, {});
    await store.commit(READY, [now(), answer.expires_at, creation], 'token.issued');
    response.json({
      guestId: guest.id,
      accessToken: answer.token,
      expiresAt: answer.expires_at,
      crmAttributes: crm,
    });
  });
  app.listen(Number(process.env.PORT), '127.0.0.1');
}

if (PROCESSES > 1 && cluster.isPrimary) {
  for (let each = 0; each < PROCESSES; each += 1) cluster.fork();
} else {
  serve();
}
