#pragma once

// The e-mail templates of a folder: one file NAME.txt each,
//
//   Subject: Your {{ plan }} trial
//   From: Example <hello@example.com>
//
//   Dear {{ first_name }},
//   …
//
// with headers (Subject is needed; From stands for the configured sender), an empty line, and the
// text. Immutable once loaded; any number of threads may use it.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "deliver/mail.h"
#include "template/template.h"

namespace turnout::deliver {

struct MailTemplate {
  tmpl::Template subject;
  tmpl::Template text;
  std::optional<Mailbox> from;
};

// The contents of one file. kInvalid: "FILE:LINE: …" with what to do.
base::Result<MailTemplate> parse_mail_template(std::string_view contents, const std::string& file);

class TemplateFolder {
 public:
  // Reads every *.txt file of the folder. A folder that is not there has no templates. A file that
  // cannot be used is a problem, and so are mails of that name; the others are not concerned.
  static TemplateFolder load(const std::string& path);

  // Null when there is none of that name; see why_not().
  const MailTemplate* find(const std::string& name) const;
  // Why there is no such template and what to do.
  std::string why_not(const std::string& name) const;

  std::vector<std::string> names() const;
  // Names of the fields that the templates use, each once.
  std::vector<std::string> fields() const;
  // What is wrong with files of the folder, one sentence each.
  std::vector<std::string> problems() const;

 private:
  std::string path_;
  std::map<std::string, MailTemplate> templates_;
  std::map<std::string, std::string> broken_;  // name → why
};

}  // namespace turnout::deliver
