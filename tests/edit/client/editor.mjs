// An editor that has `turnout lsp` running: Microsoft's client of the protocol over the program's own streams.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as lsp from 'vscode-languageserver-protocol/node.js';

const WAIT_MS = 60_000;

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing came`)), WAIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Editor {
  constructor(program, options = []) {
    this.folder = mkdtempSync(join(tmpdir(), 'turnout-lsp-'));
    this.process = spawn(program, ['lsp', '--stdio', ...options], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.errors = '';
    this.process.stderr.on('data', (bytes) => (this.errors += bytes));
    this.ended = new Promise((resolve) => this.process.on('close', (code, signal) => resolve(code ?? signal)));
    this.connection = lsp.createProtocolConnection(
      new lsp.StreamMessageReader(this.process.stdout),
      new lsp.StreamMessageWriter(this.process.stdin),
    );
    this.diagnostics = new Map(); // uri → what was told last
    this.listeners = [];
    this.registered = [];
    this.connection.onNotification(lsp.PublishDiagnosticsNotification.type, (params) => {
      this.diagnostics.set(params.uri, params);
      this.listeners.splice(0).forEach((listener) => listener());
    });
    this.connection.onRequest(lsp.RegistrationRequest.type, (params) => {
      this.registered.push(...params.registrations.map((r) => r.method));
    });
    this.connection.listen();
  }

  async begin(capabilities = {}) {
    const result = await this.ask(lsp.InitializeRequest.type, { processId: process.pid, rootUri: null, capabilities });
    await this.connection.sendNotification(lsp.InitializedNotification.type, {});
    return result;
  }

  ask(type, params) {
    return within(this.connection.sendRequest(type, params), type.method ?? type);
  }

  tell(type, params) {
    return this.connection.sendNotification(type, params);
  }

  // What is told of the document once its version has been read.
  async told(uri, version) {
    const due = () => this.diagnostics.has(uri) && (this.diagnostics.get(uri).version ?? 0) >= version;
    while (!due()) {
      await within(new Promise((resolve) => this.listeners.push(resolve)), 'diagnostics');
    }
    return this.diagnostics.get(uri).diagnostics;
  }

  file(name, text) {
    writeFileSync(join(this.folder, name), text);
    return pathToFileURL(join(this.folder, name)).href;
  }

  // Opens a file that has the text, and waits for its diagnostics.
  async open(name, text) {
    const document = { uri: this.file(name, text), version: 1, text };
    await this.tell(lsp.DidOpenTextDocumentNotification.type, {
      textDocument: { uri: document.uri, languageId: 'track', version: 1, text },
    });
    await this.told(document.uri, 1);
    return document;
  }

  // Writes `to` where `from` stands first.
  async replace(document, from, to) {
    const range = { start: place(document.text, from, 0), end: place(document.text, from, from.length) };
    document.text = document.text.replace(from, () => to);
    document.version += 1;
    await this.tell(lsp.DidChangeTextDocumentNotification.type, {
      textDocument: { uri: document.uri, version: document.version },
      contentChanges: [{ range, text: to }],
    });
    return this.told(document.uri, document.version);
  }

  async end() {
    await this.ask(lsp.ShutdownRequest.type);
    await this.tell(lsp.ExitNotification.type);
    const code = await within(this.ended, 'exit');
    this.close();
    return code;
  }

  close() {
    this.connection.dispose();
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// Where `what` stands first in the text, `within` characters into it (else in its middle).
export function place(text, what, within_ = Math.floor(what.length / 2)) {
  const begin = text.indexOf(what);
  if (begin < 0) throw new Error(`the text has no ${what}`);
  const before = text.slice(0, begin + within_);
  return { line: before.split('\n').length - 1, character: before.length - (before.lastIndexOf('\n') + 1) };
}

// The text after the edits, none of which overlap.
export function edited(text, edits) {
  const lines = text.split('\n');
  const offset = ({ line, character }) => lines.slice(0, line).reduce((sum, l) => sum + l.length + 1, 0) + character;
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce((t, e) => t.slice(0, offset(e.range.start)) + e.newText + t.slice(offset(e.range.end)), text);
}
