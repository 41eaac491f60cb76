// What an editor does with `turnout lsp`, from opening a file with mistakes to the end.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as lsp from 'vscode-languageserver-protocol/node.js';
import { Editor, edited, place } from './editor.mjs';

const CAPABILITIES = {
  textDocument: {
    documentSymbol: { hierarchicalDocumentSymbolSupport: true },
    rename: { prepareSupport: true },
  },
  workspace: { didChangeWatchedFiles: { dynamicRegistration: true } },
};

// The example track and its fields, with a smile in front of everything on one line.
function example(root) {
  const folder = join(root, 'examples');
  return {
    track: readFileSync(join(folder, 'term-deposit.track'), 'utf8'),
    fields: readFileSync(join(folder, 'fields.toml'), 'utf8'),
  };
}

const at = (document, what, within) => ({
  textDocument: { uri: document.uri },
  position: place(document.text, what, within),
});

async function with_editor({ program, root }, work) {
  const editor = new Editor(program);
  try {
    const begun = await editor.begin(CAPABILITIES);
    const { track, fields } = example(root);
    editor.file('fields.toml', fields);
    await work(editor, track, begun);
    assert.equal(await editor.end(), 0, editor.errors);
    assert.equal(editor.errors, '');
  } finally {
    editor.close();
  }
}

async function says_what_it_can(env) {
  await with_editor(env, async (editor, track, begun) => {
    const can = begun.capabilities;
    assert.equal(begun.serverInfo.name, 'turnout');
    assert.equal(can.positionEncoding, 'utf-16');
    assert.equal(can.textDocumentSync.change, lsp.TextDocumentSyncKind.Incremental);
    assert.equal(can.renameProvider.prepareProvider, true);
    await editor.open('a.track', track); // by now the request of the server has been answered
    assert.deepEqual(editor.registered, ['workspace/didChangeWatchedFiles']);
  });
}

// The same mistakes as `turnout check --json` finds, at the same places.
async function tells_what_check_says(env) {
  await with_editor(env, async (editor, track) => {
    const text = track.replace('"Banker"', '"Bankr"').replace('duration is', 'durations is').replace('otherwise:', 'otherwise');
    const document = await editor.open('a.track', text);
    let report;
    try {
      report = execFileSync(env.program, ['check', '--json', join(editor.folder, 'a.track')], { encoding: 'utf8' });
    } catch (error) {
      report = error.stdout;
    }
    const expected = JSON.parse(report).map((d) => `${d.line}:${d.column} ${d.severity} ${d.code}`);
    const told = (await editor.told(document.uri, 1)).map(
      (d) =>
        `${d.range.start.line + 1}:${d.range.start.character + 1} ` +
        `${d.severity === lsp.DiagnosticSeverity.Error ? 'error' : 'warning'} ${d.code}`,
    );
    assert.ok(expected.length >= 3, report);
    assert.deepEqual(told, expected);
  });
}

async function follows_what_is_written(env) {
  await with_editor(env, async (editor, track) => {
    const document = await editor.open('a.track', track);
    assert.deepEqual(await editor.told(document.uri, 1), []);
    const mistakes = await editor.replace(document, 'go to "Banker"', 'go to "\u{1F600}Bankr"');
    assert.equal(mistakes.length, 1);
    assert.equal(mistakes[0].code, 'unknown-step');
    assert.equal(mistakes[0].range.end.character - mistakes[0].range.start.character, '"😀Bankr"'.length);
    assert.equal((await editor.replace(document, '\u{1F600}Bankr', 'Bankr')).length, 1);
    const actions = await editor.ask(lsp.CodeActionRequest.type, {
      textDocument: { uri: document.uri },
      range: mistakes[0].range,
      context: { diagnostics: mistakes },
    });
    assert.equal(actions.length, 1);
    assert.equal(actions[0].kind, lsp.CodeActionKind.QuickFix);
    assert.equal(edited(document.text, actions[0].edit.changes[document.uri]), track);
    assert.deepEqual(await editor.replace(document, 'Bankr', 'Banker'), []);
    await editor.tell(lsp.DidCloseTextDocumentNotification.type, { textDocument: { uri: document.uri } });
    await assert.rejects(editor.ask(lsp.HoverRequest.type, at(document, '"Banker"')), /not open/);
  });
}

async function explains_and_leads(env) {
  await with_editor(env, async (editor, track) => {
    const document = await editor.open('a.track', track);
    const hover = await editor.ask(lsp.HoverRequest.type, at(document, 'duration is', 2));
    assert.match(hover.contents.value, /^duration: number/);
    const step = await editor.ask(lsp.HoverRequest.type, at(document, 'go to "Answer"', 8));
    assert.match(step.contents.value, /A long last call counts as interest/);
    const [definition] = await editor.ask(lsp.DefinitionRequest.type, at(document, 'go to "Answer"', 8));
    assert.deepEqual(definition.range.start, place(document.text, 'step "Answer"', 5));
    const references = await editor.ask(lsp.ReferencesRequest.type, {
      ...at(document, 'go to "Answer"', 8),
      context: { includeDeclaration: true },
    });
    assert.equal(references.length, track.split('"Answer"').length - 1);
    const symbols = await editor.ask(lsp.DocumentSymbolRequest.type, { textDocument: { uri: document.uri } });
    const names = symbols.map((s) => s.name);
    for (const [, name] of track.matchAll(/^(?:step|test) "(.*)"$/gm)) assert.ok(names.includes(name), name);
    assert.ok(symbols.find((s) => s.name === 'Answer').children.length === 3);
  });
}

async function completes(env) {
  await with_editor(env, async (editor, track) => {
    const document = await editor.open('a.track', track);
    const labels = async (what, within) =>
      (await editor.ask(lsp.CompletionRequest.type, at(document, what, within))).items.map((i) => i.label);
    const steps = await labels('go to "Answer"', 8);
    assert.ok(steps.includes('"Banker"') && !steps.includes('when'), steps.join());
    const condition = await labels('when duration', 5);
    assert.ok(condition.includes('duration') && condition.includes('has tag'), condition.join());
    const templates = await labels('send email "', 12);
    assert.ok(templates.includes('"please-call"') && !templates.includes('"call-centre"'), templates.join());
    const { items } = await editor.ask(lsp.CompletionRequest.type, at(document, 'go to "Answer"', 8));
    const banker = items.find((i) => i.label === '"Banker"');
    assert.equal(
      edited(document.text, [banker.textEdit]),
      document.text.replace('go to "Answer"', 'go to "Banker"'),
    );
  });
}

async function renames_and_formats(env) {
  await with_editor(env, async (editor, track) => {
    const document = await editor.open('a.track', track);
    const prepared = await editor.ask(lsp.PrepareRenameRequest.type, at(document, 'go to "Answer"', 8));
    assert.equal(prepared.placeholder, 'Answer');
    const { changes } = await editor.ask(lsp.RenameRequest.type, {
      ...at(document, 'go to "Answer"', 8),
      newName: 'Reply',
    });
    assert.equal(edited(document.text, changes[document.uri]), track.replaceAll('"Answer"', '"Reply"'));
    await assert.rejects(
      editor.ask(lsp.RenameRequest.type, { ...at(document, 'go to "Answer"', 8), newName: 'banker' }),
      /there is a step "Banker" already/,
    );
    const options = { textDocument: { uri: document.uri }, options: { tabSize: 8, insertSpaces: false } };
    assert.deepEqual(await editor.ask(lsp.DocumentFormattingRequest.type, options), []);
    await editor.replace(document, '\nstep "Answer"', '\n\n\n   step    "Answer"');
    const edits = await editor.ask(lsp.DocumentFormattingRequest.type, options);
    assert.equal(edited(document.text, edits), track);
  });
}

async function ends_as_the_protocol_says({ program }) {
  const hasty = new Editor(program);
  await hasty.begin();
  await hasty.tell(lsp.ExitNotification.type);
  assert.equal(await hasty.ended, 1, 'exit without shutdown');
  hasty.close();
  const cut = new Editor(program);
  await cut.begin();
  cut.process.stdin.end();
  assert.equal(await cut.ended, 1, 'the end of the input');
  cut.close();
  const early = new Editor(program);
  await assert.rejects(early.ask(lsp.HoverRequest.type, {}), { code: lsp.ErrorCodes.ServerNotInitialized });
  await early.begin();
  await assert.rejects(early.ask('no/such', {}), { code: lsp.ErrorCodes.MethodNotFound });
  assert.equal(await early.end(), 0);
}

// A track of 5,000 steps: everything is there while one looks at it. The bounds leave room for sanitizers.
async function is_quick(env) {
  await with_editor(env, async (editor) => {
    let text = 'track "Long"\n  gather contacts continuously\n';
    for (let i = 0; i < 5_000; i += 1) {
      text += `\nstep "s${i}"\n  when age is at least ${i % 90} and job is "x":\n    add tag "t${i % 50}"\n`;
      text += `    go to "s${i + 1}" after 1 day\n  after 3 days:\n    stop as "late"\n`;
    }
    text += '\nstep "s5000"\n  otherwise:\n    stop\n';
    const times = [];
    const timed = async (what, promise) => {
      const began = performance.now();
      const result = await promise;
      times.push([what, Math.round(performance.now() - began)]);
      return result;
    };
    const document = await timed('open', editor.open('long.track', text));
    assert.deepEqual(await editor.told(document.uri, 1), []);
    const here = at(document, 'go to "s2500"', 9);
    const mistakes = await timed('change', editor.replace(document, 'go to "s2500"', 'go to "sx2500"'));
    assert.equal(mistakes[0].code, 'unknown-step');
    await timed('change back', editor.replace(document, 'go to "sx2500"', 'go to "s2500"'));
    assert.ok(await timed('hover', editor.ask(lsp.HoverRequest.type, here)));
    assert.equal((await timed('completion', editor.ask(lsp.CompletionRequest.type, here))).items.length, 1_000);
    assert.equal((await timed('definition', editor.ask(lsp.DefinitionRequest.type, here))).length, 1);
    const all = { textDocument: { uri: document.uri } };
    assert.equal((await timed('outline', editor.ask(lsp.DocumentSymbolRequest.type, all))).length, 5_002);
    await timed('rename', editor.ask(lsp.RenameRequest.type, { ...here, newName: 'middle' }));
    assert.deepEqual(await timed('format', editor.ask(lsp.DocumentFormattingRequest.type, { ...all, options: {} })), []);
    console.log(`5,000 steps: ${times.map(([what, ms]) => `${what} ${ms} ms`).join(', ')}`);
    for (const [what, ms] of times) assert.ok(ms < 5_000, `${what} took ${ms} ms`);
  });
}

export const checks = Object.entries({
  says_what_it_can,
  tells_what_check_says,
  follows_what_is_written,
  explains_and_leads,
  completes,
  renames_and_formats,
  ends_as_the_protocol_says,
  is_quick,
});
