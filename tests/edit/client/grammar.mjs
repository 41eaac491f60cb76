// The TextMate grammar, read with the engine of VS Code: in every sample track it takes for keywords what the language
// server explains as keywords, and for fields what it knows as fields.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';
import * as lsp from 'vscode-languageserver-protocol/node.js';
import { Editor } from './editor.mjs';

async function load(root) {
  const require = createRequire(import.meta.url);
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const path = join(root, 'editors', 'track.tmLanguage.json');
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, 'utf8'), path),
  });
  return registry.loadGrammar('source.track');
}

// [{ line, character, text, scope }] of everything but blanks.
function pieces(grammar, text) {
  const out = [];
  let state = textmate.INITIAL;
  text.split('\n').forEach((line, number) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    for (const { startIndex, endIndex, scopes } of tokens) {
      const piece = line.slice(startIndex, endIndex);
      if (piece.trim() !== '') {
        out.push({ line: number, character: startIndex, text: piece, scope: scopes.slice(1).join(' ') });
      }
    }
  });
  return out;
}

function* words(piece) {
  for (const match of piece.text.matchAll(/[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*/g)) {
    yield { ...piece, text: match[0], character: piece.character + match.index };
  }
}

function samples(root) {
  const folders = [join(root, 'examples'), join(root, 'tests', 'lang', 'tracks')];
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.track'))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

const FIELD = /^\S+: (text|number|boolean|timestamp|date|takes the type|a field)\b/;

async function agrees_with_the_server({ program, root }) {
  const grammar = await load(root);
  const editor = new Editor(program, ['--field', 'plan=text']);
  try {
    await editor.begin();
    let keywords = 0;
    let fields = 0;
    for (const [name, text] of samples(root)) {
      const document = await editor.open(name, text);
      for (const piece of pieces(grammar, text)) {
        if (/string|comment|entity|constant\.other/.test(piece.scope)) continue;
        for (const word of words(piece)) {
          const where = `${name}:${word.line + 1}:${word.character + 1}: ${word.text} is ${word.scope}`;
          const hover = await editor.ask(lsp.HoverRequest.type, {
            textDocument: { uri: document.uri },
            position: { line: word.line, character: word.character },
          });
          assert.ok(hover, where);
          if (FIELD.test(hover.contents.value)) {
            fields += 1;
            assert.match(word.scope, /variable\.other\.field/, where);
          } else {
            keywords += 1;
            assert.match(word.scope, /keyword|constant\.language/, where);
          }
        }
      }
    }
    assert.ok(keywords > 400 && fields > 40, `${keywords} keywords, ${fields} fields`);
    await editor.end();
  } finally {
    editor.close();
  }
}

async function tells_names_texts_and_comments({ root }) {
  const grammar = await load(root);
  const scope = (text, piece) => {
    const found = pieces(grammar, text).find((p) => p.text === piece);
    assert.ok(found, `${piece} in ${JSON.stringify(pieces(grammar, text))}`);
    return found.scope;
  };
  assert.match(scope('step "A b" # note', '"A b"'), /entity\.name/);
  assert.match(scope('step "A b" # note', '# note'), /comment/);
  assert.match(scope('    go to "when"', 'when'), /^string/);
  assert.match(scope('    expect on step "A"', 'A'), /^string/);
  assert.match(scope('  quiet from 21:00 to 08:00', '21:00'), /constant\.numeric/);
  assert.match(scope('  hold out 2.5 % as "c"', '2.5 %'), /constant\.numeric/);
  assert.match(scope('  when `when` is 3:', '`when`'), /variable/);
  assert.match(scope('  when day is 3:', 'day'), /variable/);
  assert.match(scope('    every 3 days', 'days'), /unit/);
  assert.match(scope('  about "a \\q"', '\\q'), /invalid/);
  assert.match(scope('query """\nselect :a.b, \'x::text\'\n""" weekly', ':a.b'), /variable\.parameter/);
  assert.match(scope('query """\nselect \\""" 1\n""" weekly', 'weekly'), /^variable/);
  // Quotes that are not closed end with their line.
  assert.match(scope('  about "open\n  when x is 1:', 'when'), /keyword/);
}

export const checks = Object.entries({ agrees_with_the_server, tells_names_texts_and_comments });
